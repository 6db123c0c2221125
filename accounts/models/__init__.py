"""People and whom they act for."""

from accounts.models.customers import Contact, Customer
from accounts.models.users import WORKING, Invitation, User
from accounts.models.visits import Visit

__all__ = ["WORKING", "Contact", "Customer", "Invitation", "User", "Visit"]
