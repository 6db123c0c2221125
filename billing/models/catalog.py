"""What a tenant sells: products, their prices, and the tax on them."""

from django.db import models

from billing.money import Money
from billing.periods import Cycle
from tenants.ids import new_id

CYCLES = [(cycle.value, cycle.value.replace("_", " ").capitalize()) for cycle in Cycle]


class TaxClass(models.TextChoices):
    STANDARD = "standard", "Standard"
    REDUCED = "reduced", "Reduced"
    EXEMPT = "exempt", "Exempt"


class Product(models.Model):
    """Something that can be bought."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    tax_class = models.CharField(max_length=10, choices=TaxClass.choices, default=TaxClass.STANDARD)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["name", "id"], name="product_by_name")]

    def __str__(self) -> str:
        return self.name


class Price(models.Model):
    """A product's price point: amounts in minor units of `currency`, per unit and billing cycle."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="prices")
    currency = models.CharField(max_length=3)
    cycle = models.CharField(max_length=12, choices=CYCLES)
    amount = models.BigIntegerField()
    setup_fee = models.BigIntegerField(default=0)
    tax_inclusive = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["product", "currency", "cycle", "amount", "setup_fee", "tax_inclusive"],
                name="price_point_once",
            ),
            models.CheckConstraint(
                name="price_not_negative", condition=models.Q(amount__gte=0, setup_fee__gte=0)
            ),
            models.CheckConstraint(
                name="price_cycle_known", condition=models.Q(cycle__in=[c.value for c in Cycle])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.currency} {self.amount} {self.cycle}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class TaxRate(models.Model):
    """The tax on one class of products for customers of one country; rate in parts per million."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tax_class = models.CharField(max_length=10, choices=TaxClass.choices)
    country = models.CharField(max_length=2)
    name = models.CharField(max_length=40)
    rate_ppm = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tax_class", "country"], name="tax_rate_once"),
            models.CheckConstraint(name="tax_rate_sane", condition=models.Q(rate_ppm__lte=1_000_000)),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.country}"
