"""Changing what the tenant sells: products, prices, tax rates. What was billed stays as it was."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing.errors import Refused
from billing.models import Price, Product, TaxRate
from billing.money import Money, MoneyError, check_step
from billing.periods import Cycle

PRODUCT_FIELDS = ("code", "name", "description", "tax_class", "is_active")
PRICE_FIELDS = ("currency", "cycle", "amount", "setup_fee", "tax_inclusive", "is_active")
RATE_FIELDS = ("tax_class", "country", "name", "rate_ppm")


def create_product(
    *, code: str, name: str, actor: Actor, now: datetime, description: str = "", tax_class: str = "standard"
) -> Product:
    """Add a product; raises `Refused` when its code is taken."""
    product = Product(code=code, name=name, description=description, tax_class=tax_class, created_at=now)
    try:
        with transaction.atomic():
            product.save(force_insert=True)
            after = _values(product, PRODUCT_FIELDS)
            record(Action.PRODUCT_CREATED, subject=("product", product.id), actor=actor, now=now, after=after)
    except IntegrityError as error:
        raise Refused(f"Another product has the code “{code}” already.") from error
    return product


def change_product(product: Product, *, actor: Actor, now: datetime, **fields: Any) -> Product:
    """Change the fields given; raises `Refused` when the code is taken. Locks the product."""
    try:
        with transaction.atomic():
            locked = Product.objects.select_for_update(of=("self",), no_key=True).get(pk=product.pk)
            change = _apply(locked, fields)
            if change:
                subject = ("product", locked.id)
                record(Action.PRODUCT_CHANGED, subject=subject, actor=actor, now=now, **change)
    except IntegrityError as error:
        raise Refused(f"Another product has the code “{fields.get('code')}” already.") from error
    return locked


def create_price(
    product: Product,
    *,
    currency: str,
    cycle: str,
    amount: int,
    actor: Actor,
    now: datetime,
    setup_fee: int = 0,
    tax_inclusive: bool = False,
) -> Price:
    """Add a price point (minor units); one that was taken out comes back. Raises `Refused`."""
    point = {
        "currency": currency,
        "cycle": Cycle.parse(cycle).value,
        "amount": amount,
        "setup_fee": setup_fee,
        "tax_inclusive": tax_inclusive,
    }
    _check_amounts(currency, amount, setup_fee)
    with transaction.atomic():
        price, made = Price.objects.get_or_create(product=product, **point, defaults={"created_at": now})
        if not made and price.is_active:
            raise Refused("This price exists already.")
        if not made:
            return change_price(price, is_active=True, actor=actor, now=now)
        after = {"product": product.code, **_values(price, PRICE_FIELDS)}
        record(Action.PRICE_CREATED, subject=("price", price.id), actor=actor, now=now, after=after)
    return price


def change_price(price: Price, *, is_active: bool, actor: Actor, now: datetime) -> Price:
    """Offer a price or take it out; subscriptions to it go on. Amounts never change: add another price."""
    with transaction.atomic():
        locked = Price.objects.select_for_update(of=("self",), no_key=True).get(pk=price.pk)
        change = _apply(locked, {"is_active": is_active})
        if change:
            record(Action.PRICE_CHANGED, subject=("price", locked.id), actor=actor, now=now, **change)
    return locked


def set_tax_rate(
    *, tax_class: str, country: str, name: str, rate_ppm: int, actor: Actor, now: datetime
) -> TaxRate:
    """Set the tax on a class for customers of a country, from the next invoice on."""
    with transaction.atomic():
        rate = TaxRate.objects.select_for_update().filter(tax_class=tax_class, country=country).first()
        before = _values(rate, RATE_FIELDS) if rate else None
        rate = rate or TaxRate(tax_class=tax_class, country=country)
        rate.name, rate.rate_ppm = name, rate_ppm
        rate.save()
        after = _values(rate, RATE_FIELDS)
        if before != after:
            subject = ("tax_rate", rate.id)
            record(Action.TAX_RATE_CHANGED, subject=subject, actor=actor, now=now, before=before, after=after)
    return rate


def remove_tax_rate(rate: TaxRate, *, actor: Actor, now: datetime) -> None:
    """Charge no tax on this class and country from the next invoice on."""
    with transaction.atomic():
        before = _values(rate, RATE_FIELDS)
        subject = ("tax_rate", rate.pk)
        if TaxRate.objects.filter(pk=rate.pk).delete()[0]:
            record(Action.TAX_RATE_CHANGED, subject=subject, actor=actor, now=now, before=before)


def _check_amounts(currency: str, amount: int, setup_fee: int) -> None:
    try:
        check_step(Money(amount, currency))
        check_step(Money(setup_fee, currency))
    except (MoneyError, TypeError) as error:
        raise Refused(str(error)) from error
    if amount < 0 or setup_fee < 0:
        raise Refused("A price is not negative.")


def _apply(row: models.Model, fields: dict[str, Any]) -> dict[str, Any]:
    """Set and save what differs; returns the before and after for the record, empty when nothing does."""
    changed = [name for name, value in fields.items() if getattr(row, name) != value]
    if not changed:
        return {}
    before = _values(row, changed)
    for name in changed:
        setattr(row, name, fields[name])
    row.save(update_fields=changed)
    return {"before": before, "after": _values(row, changed)}


def _values(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
