"""How a tenant bills: one row."""

from django.db import models


class BillingSettings(models.Model):
    """The issuer's data and the choices that shape invoices. One row a tenant, made with its schema."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    business_name = models.CharField(max_length=200, blank=True, default="")
    email = models.EmailField(max_length=254, blank=True, default="")
    phone = models.CharField(max_length=32, blank=True, default="")
    address_line1 = models.CharField(max_length=200, blank=True, default="")
    address_line2 = models.CharField(max_length=200, blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    state = models.CharField(max_length=100, blank=True, default="")
    postal_code = models.CharField(max_length=20, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    tax_id = models.CharField(max_length=40, blank=True, default="")
    days_ahead = models.PositiveSmallIntegerField(default=14)
    payment_days = models.PositiveSmallIntegerField(default=14)
    number_prefix = models.CharField(max_length=20, default="INV")
    number_format = models.CharField(max_length=60, default="{prefix}-{year}-{n:06d}")
    brand_colour = models.CharField(max_length=7, default="#3b5bdb")
    logo = models.BinaryField(null=True, blank=True)
    logo_type = models.CharField(max_length=20, blank=True, default="")
    invoice_note = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="billing_settings_one_row", condition=models.Q(id=1)),
            models.CheckConstraint(
                name="billing_settings_days", condition=models.Q(days_ahead__lte=60, payment_days__lte=365)
            ),
            models.CheckConstraint(
                name="billing_settings_colour", condition=models.Q(brand_colour__regex=r"^#[0-9a-f]{6}$")
            ),
        ]

    def __str__(self) -> str:
        return "billing settings"
