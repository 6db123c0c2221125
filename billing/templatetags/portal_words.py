"""How the portal names cards and ways of paying."""

from django import template

from billing.customer_queries import brand_name, said_of
from billing.models import Payment, PaymentMethod

register = template.Library()


@register.filter
def card_name(card: PaymentMethod) -> str:
    """`Visa •••• 4242`."""
    return f"{brand_name(card.brand)} •••• {card.last4}" if card.last4 else brand_name(card.brand)


@register.filter
def expiry(card: PaymentMethod) -> str:
    """`08/29`, as it stands on the card."""
    if card.exp_month is None or card.exp_year is None:
        return ""
    return f"{card.exp_month:02d}/{card.exp_year % 100:02d}"


@register.filter
def paid_with(payment: Payment) -> str:
    return said_of(payment)


@register.filter
def is_expired(card: PaymentMethod | None, month: tuple[int, int]) -> bool:
    """Whether the card's last month is over in `month` (year, month)."""
    if card is None or card.exp_month is None or card.exp_year is None:
        return False
    return (card.exp_year, card.exp_month) < month
