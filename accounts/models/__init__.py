"""People, whom they act for, and how they prove who they are."""

from accounts.models.customers import Contact, Customer
from accounts.models.email_changes import EmailChange
from accounts.models.factors import BackupCode, FactorReset, LogInPolicy, Passkey, PasskeyChallenge, Totp
from accounts.models.sessions import KnownDevice, Session
from accounts.models.users import WORKING, Invitation, User
from accounts.models.visits import Visit

__all__ = [
    "WORKING",
    "BackupCode",
    "Contact",
    "Customer",
    "EmailChange",
    "FactorReset",
    "Invitation",
    "KnownDevice",
    "LogInPolicy",
    "Passkey",
    "PasskeyChallenge",
    "Session",
    "Totp",
    "User",
    "Visit",
]
