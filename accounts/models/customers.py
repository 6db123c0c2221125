"""Customers: who is billed. Contacts: a user's right to act for one."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.grants import ALL, Grant, Permission
from tenants.ids import new_id


class Customer(models.Model):
    """Who is billed: a person or a business, with the address that stands on invoices."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=100, null=True, blank=True, unique=True)
    name = models.CharField(max_length=200)
    business_name = models.CharField(max_length=200, blank=True, default="")
    email = models.EmailField(max_length=254)
    phone = models.CharField(max_length=32, blank=True, default="")
    address_line1 = models.CharField(max_length=200, blank=True, default="")
    address_line2 = models.CharField(max_length=200, blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    state = models.CharField(max_length=100, blank=True, default="")
    postal_code = models.CharField(max_length=20, blank=True, default="")
    country = models.CharField(max_length=2)
    tax_id = models.CharField(max_length=40, blank=True, default="")
    currency = models.CharField(max_length=3)
    locale = models.CharField(max_length=10, default="en")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["name", "id"], name="customer_by_name"),
            models.Index(fields=["email"], name="customer_by_email"),
        ]

    def __str__(self) -> str:
        return self.business_name or self.name


def permissions_field() -> "ArrayField[list[str], list[str]]":
    """Names of `accounts.grants.Permission`."""
    return ArrayField(models.CharField(max_length=12), default=list, db_default=[], blank=True)


class Granted(models.Model):
    """Has or promises permissions for a customer; an owner has all of them."""

    is_owner = models.BooleanField(default=False, db_default=False)
    permissions = permissions_field()

    class Meta:
        abstract = True

    @property
    def grant(self) -> Grant:
        return Grant.of(self.permissions, is_owner=self.is_owner)


class Contact(Granted):
    """A user's right to act for a customer: which parts of it, or all as an owner."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="contacts")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="contacts")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "customer"], name="contact_once"),
            models.CheckConstraint(
                name="contact_permissions_are_known",
                condition=models.Q(permissions__contained_by=sorted(each.value for each in ALL)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.customer_id}"

    def has(self, permission: Permission) -> bool:
        """Tell whether this contact was given the permission."""
        return permission in self.grant.permissions
