"""People and whom they act for."""

from accounts.models.customers import Contact, Customer
from accounts.models.users import Invitation, User

__all__ = ["Contact", "Customer", "Invitation", "User"]
