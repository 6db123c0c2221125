"""Giving a Stripe account back: our webhook endpoint and access removed there, our secrets destroyed here."""

import logging
from datetime import datetime

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import asking, connecting, stripe_gateway
from billing.errors import Refused
from billing.giving_up import give_up
from billing.models import Payment, StripeConnection
from billing.stripe_gateway import StripeBusy, StripeRefused, StripeUnavailable

log = logging.getLogger(__name__)

UNDER_WAY = (Payment.State.SENT, Payment.State.PROCESSING, Payment.State.UNKNOWN)


def disconnect(*, actor: Actor, now: datetime) -> None:
    """Cancel what waits for payers; remove endpoint, access, secrets. Talks to Stripe: no open transaction.

    Raises `Refused` while a payment's outcome is open, or when Stripe does not answer.
    """
    connection = connecting.require()
    _refuse_under_way()
    _cancel_waiting(actor=actor, now=now)
    # One of them may have been paid in that moment.
    _refuse_under_way()
    withdraw(connection)
    with transaction.atomic():
        locked = StripeConnection.objects.select_for_update(no_key=True).get(pk=connection.pk)
        if locked.disconnected_at is not None:
            return
        locked.disconnected_at = now
        locked.sealed_key = locked.sealed_webhook_secret = None
        locked.save(update_fields=["disconnected_at", "sealed_key", "sealed_webhook_secret"])
        record(
            Action.STRIPE_DISCONNECTED,
            subject=("stripe_connection", locked.pk),
            actor=actor,
            now=now,
            before={"account": locked.account_id},
        )


def _refuse_under_way() -> None:
    under_way = Payment.objects.filter(state__in=UNDER_WAY).count()
    if under_way:
        raise Refused(f"{under_way} payments are under way. Disconnect when they are settled.")


def _cancel_waiting(*, actor: Actor, now: datetime) -> None:
    """Cancel what nobody could pay or settle afterwards, at Stripe too. Nothing keeps its invoice then."""
    for pk in Payment.objects.filter(state__in=asking.WAITING).values_list("pk", flat=True):
        try:
            asking.cancel(pk, actor=actor, now=now)
        except StripeRefused as error:
            log.info("disconnecting, payment %s: %s", pk, error)
            why = "Stripe refuses us; its account is being disconnected"
            give_up(pk, why, states=asking.WAITING, actor=actor, now=now)
        except (StripeUnavailable, StripeBusy) as error:
            raise Refused("Stripe does not answer. It is still connected; try again soon.") from error


def withdraw(connection: StripeConnection) -> None:
    """Remove what is ours from the account. An account that refuses us has removed it already.

    Talks to Stripe: no open transaction. Raises `Refused` when Stripe does not answer.
    """
    try:
        if connection.webhook_endpoint:
            stripe_gateway.gateway_for(connection).remove_endpoint(connection.webhook_endpoint)
        if connection.kind == StripeConnection.Kind.CONNECT:
            connecting.leave(connection.account_id)
    except StripeRefused as error:
        log.info("disconnecting %s: %s", connection.account_id, error)
    except (StripeUnavailable, StripeBusy) as error:
        raise Refused("Stripe does not answer. Nothing was changed; try again soon.") from error
