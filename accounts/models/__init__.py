"""People, whom they act for, and how they prove who they are."""

from accounts.models.customers import Contact, Customer
from accounts.models.factors import BackupCode, FactorReset, LogInPolicy, Passkey, PasskeyChallenge, Totp
from accounts.models.users import Invitation, User

__all__ = [
    "BackupCode",
    "Contact",
    "Customer",
    "FactorReset",
    "Invitation",
    "LogInPolicy",
    "Passkey",
    "PasskeyChallenge",
    "Totp",
    "User",
]
