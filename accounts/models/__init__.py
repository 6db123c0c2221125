"""People and whom they act for."""

from accounts.models.customers import Contact, Customer
from accounts.models.email_changes import EmailChange
from accounts.models.sessions import KnownDevice, Session
from accounts.models.users import Invitation, User

__all__ = ["Contact", "Customer", "EmailChange", "Invitation", "KnownDevice", "Session", "User"]
