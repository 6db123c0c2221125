"""Users: people who log in, known inside one schema only. In the public schema: the platform's staff."""

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from accounts.models.customers import Granted
from tenants.ids import new_id

if TYPE_CHECKING:
    from accounts.models.visits import Visit


IMPORTED = "bcrypt$"  # how the hashes begin that imports bring along: see accounts.hashers


def normal(password: str) -> str:
    """One spelling (NFC) of what keyboards write in several; nothing else is changed, nothing is cut."""
    return unicodedata.normalize("NFC", password)


def spellings(password: str, encoded: str) -> list[str]:
    """How the password may have been spelled when the hash was made: those of imports know no NFC."""
    plain = normal(password)
    return [plain] if plain == password or not encoded.startswith(IMPORTED) else [plain, password]


class UserManager(BaseUserManager["User"]):
    """Users by their e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person who logs in. `role` says what for; contacts of customers have none in the tenant itself.

    Raising `link_generation` makes every link void that was mailed to the person before.
    `password_may_be_short` since second factors were taken from beside it, or it came with an import: see
    `passwords.stands`. `visit` is not stored: it is set on the user of a request in which the platform's
    staff act as them.
    """

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        BILLING = "billing", "Billing"
        SUPPORT = "support", "Support"
        READ_ONLY = "read_only", "Read-only"
        CONTACT = "contact", "Contact"
        PLATFORM = "platform", "Platform staff"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=10, choices=Role.choices)
    is_active = models.BooleanField(default=True)
    locale = models.CharField(max_length=10, default="en")
    created_at = models.DateTimeField()
    link_generation = models.PositiveIntegerField(default=0, db_default=0)
    password_may_be_short = models.BooleanField(default=False, db_default=False)

    visit: "Visit | None" = None

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_once")]
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(password__startswith=IMPORTED),
                name="user_imported_hash",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def set_password(self, raw_password: str | None) -> None:
        """Keep the hash of the password in one spelling (NFC), of all of it."""
        super().set_password(None if raw_password is None else normal(raw_password))

    def check_password(self, raw_password: str) -> bool:
        """Check the password in one spelling, and as it was typed where the hash came with an import."""
        check = super().check_password
        return any(check(spelling) for spelling in spellings(raw_password, self.password))

    @property
    def is_tenant_staff(self) -> bool:
        """May work under /manage/."""
        return self.is_active and self.role in WORKING

    # What the Django admin asks of a user: platform staff may do all that it offers, others nothing.

    @property
    def is_staff(self) -> bool:
        return self.is_active and self.role == self.Role.PLATFORM

    @property
    def is_superuser(self) -> bool:
        return self.is_staff

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_staff

    def has_perms(self, perms: list[str], obj: Any = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


WORKING = (User.Role.OWNER, User.Role.BILLING, User.Role.SUPPORT, User.Role.READ_ONLY)


class Invitation(Granted):
    """An invitation by mail to become a user; single use. Its link is signed, not stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200, blank=True, default="")
    role = models.CharField(max_length=10, choices=User.Role.choices)
    customer = models.ForeignKey("accounts.Customer", on_delete=models.PROTECT, null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    invited_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="invitation_contact_has_a_customer",
                condition=models.Q(role="contact", customer__isnull=False)
                | (~models.Q(role="contact") & models.Q(customer__isnull=True)),
            )
        ]

    def __str__(self) -> str:
        return f"invitation for {self.email}"

    def stands(self, now: datetime) -> bool:
        """Whether its link opens something."""
        return self.accepted_at is None and self.withdrawn_at is None and self.expires_at > now
