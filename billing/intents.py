"""Which of our payments an intent of Stripe's belongs to."""

from uuid import UUID

from billing.models import Payment
from billing.stripe_gateway import Intent
from tenants.context import current_schema


def wanted_payment(intent: Intent) -> UUID | None:
    """Return the id that we gave the intent; the tenant may use its account for other things as well."""
    if intent.metadata.get("tenant") != current_schema():
        return None
    try:
        return UUID(intent.metadata.get("payment_id", ""))
    except ValueError:
        return None


def payment_of(intent: Intent | None) -> UUID | None:
    """Return the id of our payment that the intent is for, if there is one.

    By the id that we gave it; one that was edited away in Stripe's dashboard is known by its own.
    """
    if intent is None:
        return None
    wanted = wanted_payment(intent)
    if wanted and Payment.objects.filter(pk=wanted).exists():
        return wanted
    return Payment.objects.filter(external_id=intent.id).values_list("pk", flat=True).first()
