"""The tenant's Stripe account: by Connect or by a restricted key, with a webhook endpoint of ours."""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing import inbox, stripe_gateway
from billing.card_keeping import forget_all
from billing.errors import Refused
from billing.models import Payment, StripeConnection
from billing.stripe_gateway import (
    Endpoint,
    Gateway,
    StripeBusy,
    StripeError,
    StripeRefused,
    StripeUnavailable,
)
from tenants.context import current_schema, current_tenant, enter
from tenants.directory import every_tenant, home_url
from tenants.ids import new_id
from tenants.jobs import Asked, enqueue, enqueue_many

log = logging.getLogger(__name__)

SALT = "billing.stripe_connect"
STATE_LIFETIME = timedelta(hours=1)
FIRST_SWEEP = timedelta(minutes=10)
EVENTS = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.requires_action",
    "payment_intent.processing",
    "setup_intent.succeeded",
    "charge.refunded",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "payment_method.detached",
)


class NotConnected(Refused):
    """The tenant has no Stripe account connected."""


@dataclass(frozen=True, slots=True)
class _Account:
    """What is known of an account before its connection is written."""

    kind: StripeConnection.Kind
    id: str
    name: str
    publishable_key: str
    secret_key: str | None
    livemode: bool


def current() -> StripeConnection | None:
    """Return the connection that stands, if any."""
    return StripeConnection.objects.filter(disconnected_at__isnull=True).first()


def require() -> StripeConnection:
    """Return the connection that stands; raises `NotConnected`."""
    connection = current()
    if connection is None:
        raise NotConnected("Card payments are not set up here yet.")
    return connection


def gateway() -> Gateway:
    """Return the gateway to the tenant's account; raises `NotConnected`."""
    return stripe_gateway.gateway_for(require())


def place_of(payment: Payment) -> str:
    """Account and mode that were connected when the payment was made."""
    earlier = StripeConnection.objects.filter(connected_at__lte=payment.created_at)
    first = StripeConnection.objects.order_by("connected_at")
    connection = earlier.order_by("-connected_at").first() or first.first()
    return connection.place if connection else ""


def unanswered(connection: StripeConnection) -> QuerySet[Payment]:
    """Payments that were given up without a word of this account's: it is to be asked about them first."""
    return Payment.objects.filter(unanswered_by=connection.place)


def webhook_url() -> str:
    """Where Stripe tells this tenant of events."""
    return f"{home_url(current_tenant())}/webhooks/stripe/"


def new_nonce() -> str:
    """Return what ties one attempt to connect to one browser session."""
    return secrets.token_urlsafe(24)


def authorize_url(*, nonce: str, redirect_uri: str, email: str) -> str:
    """Return Stripe's page where the business agrees; the state that it brings back holds for an hour."""
    if not (settings.STRIPE_CLIENT_ID and settings.STRIPE_SECRET_KEY):
        raise Refused("Connecting by Stripe's page is not set up on this platform. Use a restricted key.")
    tenant = current_tenant()
    state = signing.TimestampSigner(salt=SALT).sign_object([tenant.schema_name, nonce])
    business = {"business_name": tenant.name, "email": email, "country": tenant.country}
    return stripe_gateway.authorize_url(state=state, redirect_uri=redirect_uri, business=business)


def callback_url() -> str:
    """Where Stripe sends owners of all tenants back to: the one address that is registered there."""
    return f"{settings.SITE_URL.rstrip('/')}/stripe/callback/"


def schema_of_state(state: str) -> str:
    """Return the schema of the tenant that a state was made for; raises `Refused`."""
    return _opened(state)[0]


def check_state(state: str, *, nonce: str) -> None:
    """Raise `Refused` unless the state was made for this tenant and this browser session."""
    schema, expected = _opened(state)
    same = bool(nonce) and secrets.compare_digest(expected.encode(), nonce.encode())
    if schema != current_schema() or not same:
        raise Refused("This answer of Stripe belongs to another session. Start again.")


def _opened(state: str) -> tuple[str, str]:
    try:
        signer = signing.TimestampSigner(salt=SALT)
        schema, nonce = signer.unsign_object(state, max_age=STATE_LIFETIME)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise Refused("This answer of Stripe is too old or not ours. Start again.") from error
    return str(schema), str(nonce)


def finish_connect(code: str, *, actor: Actor, now: datetime) -> StripeConnection:
    """Turn the code of a checked callback into the connection. Talks to Stripe: no open transaction.

    It takes the place of a connection of the same account and mode; raises `Refused` beside any other.
    """
    try:
        grant = stripe_gateway.exchange(code)
        gateway = stripe_gateway.gateway_of_key(settings.STRIPE_SECRET_KEY, account=grant.account)
        info = gateway.account()
    except StripeRefused as error:
        raise Refused("Stripe did not accept the answer. Start again.") from error
    except (StripeUnavailable, StripeBusy) as error:
        raise Refused("Stripe does not answer. Nothing was changed; try again soon.") from error
    account = _Account(
        StripeConnection.Kind.CONNECT,
        grant.account,
        info.name,
        grant.publishable_key or settings.STRIPE_PUBLISHABLE_KEY,
        None,
        grant.livemode,
    )
    return _connect(account, gateway, actor=actor, now=now)


def connect_by_key(secret_key: str, publishable_key: str, *, actor: Actor, now: datetime) -> StripeConnection:
    """Connect the account of a restricted (or secret) key. Talks to Stripe: no transaction may be open.

    It takes the place of a connection of the same account and mode; raises `Refused` beside any other.
    """
    secret_key, publishable_key = secret_key.strip(), publishable_key.strip()
    livemode = secret_key.startswith(("rk_live_", "sk_live_"))
    if not livemode and not secret_key.startswith(("rk_test_", "sk_test_")):
        raise Refused("That is no restricted key: it begins with rk_live_ or rk_test_.")
    if not publishable_key.startswith("pk_live_" if livemode else "pk_test_"):
        raise Refused("The publishable key belongs to another mode than the restricted key.")
    gateway = stripe_gateway.gateway_of_key(secret_key)
    try:
        info = gateway.account()
    except StripeRefused as error:
        raise Refused(f"Stripe refuses this key: {error}") from error
    except (StripeUnavailable, StripeBusy) as error:
        raise Refused("Stripe does not answer. Nothing was changed; try again soon.") from error
    kind = StripeConnection.Kind.RESTRICTED_KEY
    account = _Account(kind, info.id, info.name, publishable_key, secret_key, livemode)
    return _connect(account, gateway, actor=actor, now=now)


def _refuse_another(account: _Account) -> None:
    """A new key of the account that is connected may follow the old one; another account may not."""
    connection = current()
    if connection is None or (connection.account_id, connection.livemode) == (account.id, account.livemode):
        return
    mode = "live" if connection.livemode else "test"
    raise Refused(
        f"Another Stripe account is connected: {connection.account_id}, in {mode} mode. Disconnect it first."
    )


def leave(account_id: str) -> None:
    """Give up what Connect has granted, unless another tenant goes on with it: the grant is the platform's.

    Talks to Stripe, and may raise its errors.
    """
    mine = current_schema()
    for tenant in every_tenant():
        if tenant.schema_name == mine:
            continue
        with enter(tenant):
            theirs = StripeConnection.objects.filter(account_id=account_id, disconnected_at__isnull=True)
            if theirs.filter(kind=StripeConnection.Kind.CONNECT).exists():
                log.info("the grant of %s stays: %s goes on with it", account_id, tenant.schema_name)
                return
    stripe_gateway.deauthorize(account_id)


def _connect(account: _Account, gateway: Gateway, *, actor: Actor, now: datetime) -> StripeConnection:
    _refuse_another(account)
    connection = StripeConnection(
        id=new_id(),
        kind=account.kind,
        account_id=account.id,
        publishable_key=account.publishable_key,
        business_name=account.name,
        livemode=account.livemode,
        connected_at=now,
    )
    endpoint = _register(gateway, key=f"endpoint-{connection.id}")
    connection.webhook_endpoint = endpoint.id
    connection.sealed_webhook_secret = endpoint.secret
    connection.sealed_key = account.secret_key
    about = {"account": account.id, "kind": account.kind.value, "name": account.name}
    with transaction.atomic():
        notes, replaced = _replace(connection, now=now)
        connection.save(force_insert=True)
        notes.append(Note(Action.STRIPE_CONNECTED, "stripe_connection", str(connection.pk), {"after": about}))
        _go_on(connection, now=now)
        record_many(notes, actor=actor, now=now)
        if not current_tenant().is_rehearsal:
            enqueue("billing.sweep_events", run_at=now + FIRST_SWEEP, key=f"sweep:{connection.id}")
    if replaced == StripeConnection.Kind.CONNECT != connection.kind:
        try:
            leave(connection.account_id)
        except StripeError as error:
            log.info("leaving %s: %s", connection.account_id, error)
    return connection


def _replace(connection: StripeConnection, *, now: datetime) -> tuple[list[Note], str]:
    """End the connection whose place the new one takes; returns what is to be recorded, and its kind."""
    before = StripeConnection.objects.select_for_update(no_key=True).order_by("-connected_at").first()
    if before is None:
        return [], ""
    if before.place != connection.place:
        if before.disconnected_at is None:
            raise Refused("Another Stripe account was connected meanwhile.")
        why = f"another Stripe account, {connection.place}, was connected"
        return forget_all(why=why, now=now), ""
    if before.disconnected_at is not None:
        return [], ""
    connection.swept_until = before.swept_until
    before.disconnected_at, before.sealed_key, before.sealed_webhook_secret = now, None, None
    before.save(update_fields=["disconnected_at", "sealed_key", "sealed_webhook_secret"])
    about = {"before": {"account": before.account_id}, "replaced_by": str(connection.pk)}
    return [Note(Action.STRIPE_DISCONNECTED, "stripe_connection", str(before.pk), about)], before.kind


def _go_on(connection: StripeConnection, *, now: datetime) -> None:
    """Take up what waited for this account: events that came too late for the last, payments given up."""
    inbox.rouse_all(str(connection.pk))
    ids = list(unanswered(connection).order_by("pk").values_list("pk", flat=True))
    Payment.objects.filter(pk__in=ids).update(ask_at=now)
    job, again = "billing.ask_payment", connection.pk
    enqueue_many([Asked(job, {"payment_id": str(pk)}, key=f"ask:{pk}:{again}") for pk in ids])


def _register(gateway: Gateway, *, key: str) -> Endpoint:
    url = webhook_url()
    try:
        for left_over in gateway.endpoints_at(url):
            gateway.remove_endpoint(left_over)
        return gateway.register_endpoint(url, EVENTS, key=key)
    except StripeRefused as error:
        raise Refused(f"Stripe does not let us register the webhook endpoint: {error}") from error
    except (StripeUnavailable, StripeBusy) as error:
        raise Refused("Stripe does not answer. Nothing was changed; try again soon.") from error
