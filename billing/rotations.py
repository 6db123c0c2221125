"""Secrets shared with Stripe, replaced after an incident."""

from datetime import datetime

from django.db import transaction

from accounts.people import owners
from audit.actors import Actor
from billing import connecting, stripe_gateway
from billing.models import StripeConnection
from billing.stripe_gateway import StripeRefused
from privacy.rotating import rotates
from tenants.jobs import enqueue


@rotates("stripe_webhook", "Secret of Stripe's events")
def replace_webhook_secret(actor: Actor, now: datetime) -> str:
    """Register a second endpoint, keep its secret, then remove the first: no event goes unheard meanwhile.

    Raises StripeUnavailable or StripeBusy, to be tried again. Events that were signed by the old secret and
    come late are refused; the sweep finds what they told of.
    """
    connection = connecting.current()
    if connection is None:
        return "no Stripe account is connected"
    try:
        replaced = _replace(connection, now)
    except StripeRefused as error:
        return f"Stripe refuses us: {error}"[:300]
    own_key = connection.kind == StripeConnection.Kind.RESTRICTED_KEY
    if not own_key:
        return replaced
    with transaction.atomic():
        for owner in owners():
            enqueue("accounts.mail_roll_stripe_key", user_id=str(owner.pk))
    return f"{replaced}; the owners are asked by mail to roll the restricted key in Stripe's dashboard"


def _replace(connection: StripeConnection, now: datetime) -> str:
    gateway = stripe_gateway.gateway_for(connection)
    before = gateway.endpoints_at(connecting.webhook_url())
    key = f"endpoint-{connection.pk}-{now:%Y%m%d%H%M%S}"
    endpoint = gateway.register_endpoint(connecting.webhook_url(), connecting.EVENTS, key=key)
    with transaction.atomic():
        locked = StripeConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        if locked.disconnected_at is None:
            locked.webhook_endpoint = endpoint.id
            locked.sealed_webhook_secret = endpoint.secret
            locked.save(update_fields=["webhook_endpoint", "sealed_webhook_secret"])
    for old in before:
        gateway.remove_endpoint(old)
    return f"endpoint {endpoint.id} replaces {', '.join(before) or 'none'}"
