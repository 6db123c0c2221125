"""Webhooks: signed, delivered to the right endpoints, tried again; and events that come twice, late or
never."""

import time
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.stripe.conftest import Receiver, StandIn, pay, saved_card, wait_until

EVENTS: list[Any] = ["*"]


def register(client: stripe.StripeClient, receiver: Receiver, **options: Any) -> stripe.WebhookEndpoint:
    params: Any = {"url": receiver.url, "enabled_events": EVENTS, **options}
    return client.v1.webhook_endpoints.create(params)


def verified(receiver: Receiver, secret: str | None) -> list[str]:
    """The types of the events, each checked by the library's own verification."""
    assert secret is not None
    return [
        stripe.Webhook.construct_event(body, headers["stripe-signature"], secret).type
        for headers, body in receiver.got
    ]


def test_events_arrive_signed_at_a_localhost_name(client: stripe.StripeClient, receiver: Receiver) -> None:
    endpoint = register(client, receiver)
    pay(client)
    wait_until(lambda: len(receiver.got) == 3)
    assert sorted(verified(receiver, endpoint.secret)) == [
        "charge.succeeded",
        "payment_intent.created",
        "payment_intent.succeeded",
    ]
    assert {headers["host"] for headers, _ in receiver.got} == {f"acme.localhost:{receiver.port}"}
    with pytest.raises(stripe.SignatureVerificationError):
        verified(receiver, "whsec_another")


def test_the_secret_is_shown_once_and_only_wanted_events_are_sent(
    client: stripe.StripeClient, receiver: Receiver
) -> None:
    endpoint = register(client, receiver, enabled_events=["payment_intent.succeeded"])
    assert endpoint.secret is not None
    assert "secret" not in client.v1.webhook_endpoints.retrieve(endpoint.id)
    pay(client)
    wait_until(lambda: len(receiver.got) == 1)
    client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    pay(client)
    client.v1.webhook_endpoints.delete(endpoint.id)
    pay(client)
    time.sleep(0.2)
    assert receiver.types() == ["payment_intent.succeeded"]
    assert client.v1.webhook_endpoints.list().data == []


def test_a_failed_delivery_is_tried_again_later_by_the_stand_ins_clock(
    stand_in: StandIn, client: stripe.StripeClient, receiver: Receiver
) -> None:
    receiver.answers = [500, 302]
    register(client, receiver, enabled_events=["customer.created"])
    client.v1.customers.create({})
    wait_until(lambda: len(receiver.got) == 1)
    event = client.v1.events.list().data[0]
    assert event.pending_webhooks == 1
    stand_in.control("advance", seconds=5)
    wait_until(lambda: len(receiver.got) == 2)
    stand_in.control("advance", seconds=60)
    wait_until(lambda: len(receiver.got) == 3)
    wait_until(lambda: client.v1.events.retrieve(event.id).pending_webhooks == 0)
    assert {entry["id"] for entry in receiver.events()} == {event.id}


def test_a_delivery_is_given_up_after_three_days(
    stand_in: StandIn, client: stripe.StripeClient, receiver: Receiver
) -> None:
    receiver.answers = [500] * 50
    register(client, receiver, enabled_events=["customer.created"])
    client.v1.customers.create({})
    wait_until(lambda: len(receiver.got) == 1)
    stand_in.control("advance", seconds=3 * 86400 + 10)
    wait_until(lambda: len(receiver.got) == 2)
    account = client.v1.accounts.retrieve_current().id

    def outcomes() -> list[str]:
        return [entry["outcome"] for entry in stand_in.look()["deliveries"] if entry["account"] == account]

    wait_until(lambda: outcomes() == ["failed", "given up"])
    assert stand_in.look()["pending"] == []


def test_deliver_now_sends_what_waits_without_moving_the_clock(
    stand_in: StandIn, client: stripe.StripeClient, receiver: Receiver
) -> None:
    receiver.answers = [500]
    register(client, receiver, enabled_events=["customer.created"])
    client.v1.customers.create({})
    wait_until(lambda: len(receiver.got) == 1)
    assert stand_in.control("deliver") == {"delivered": 1, "failed": 0, "pending": 0}
    assert len(receiver.got) == 2


def test_nothing_leaves_the_machine(stand_in: StandIn, client: stripe.StripeClient) -> None:
    params: Any = {"url": "http://example.com/hook", "enabled_events": ["customer.created"]}
    client.v1.webhook_endpoints.create(params)
    client.v1.customers.create({})
    account = client.v1.accounts.retrieve_current().id
    wait_until(lambda: any(entry["account"] == account for entry in stand_in.look()["deliveries"]))
    entry = next(entry for entry in stand_in.look()["deliveries"] if entry["account"] == account)
    assert (entry["outcome"], entry["attempts"]) == ("refused", 1)


def test_events_come_twice_or_never_when_asked(
    stand_in: StandIn, client: stripe.StripeClient, receiver: Receiver
) -> None:
    account = client.v1.accounts.retrieve_current().id
    register(client, receiver, enabled_events=["customer.created", "customer.deleted"])
    stand_in.control("fault", kind="duplicate_events", event="customer.created", account=account, copies=2)
    stand_in.control("fault", kind="drop_events", event="customer.deleted", account=account)
    row = client.v1.customers.create({})
    client.v1.customers.delete(row.id)
    wait_until(lambda: len(receiver.got) == 3)
    time.sleep(0.2)
    assert receiver.types() == ["customer.created"] * 3
    assert len({event["id"] for event in receiver.events()}) == 1
    listed = [event.type for event in client.v1.events.list({"types": ["customer.deleted"]}).data]
    assert listed == ["customer.deleted"]
    dropped = client.v1.events.list({"type": "customer.deleted", "delivery_success": False}).data
    assert [event.type for event in dropped] == ["customer.deleted"]


def test_held_events_are_let_go_in_reverse(
    stand_in: StandIn, client: stripe.StripeClient, receiver: Receiver
) -> None:
    account = client.v1.accounts.retrieve_current().id
    register(client, receiver)
    stand_in.control("fault", kind="hold_events", account=account)
    pay(client)
    time.sleep(0.2)
    assert receiver.got == []
    stand_in.control("deliver", order="reverse")
    assert receiver.types() == ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]


def test_shuffled_events_all_arrive(
    stand_in: StandIn, client: stripe.StripeClient, receiver: Receiver
) -> None:
    account = client.v1.accounts.retrieve_current().id
    register(client, receiver, enabled_events=["customer.created"])
    stand_in.control("fault", kind="shuffle_events", account=account, seconds=0.4)
    made = [client.v1.customers.create({}).id for _ in range(12)]
    wait_until(lambda: len(receiver.got) == 12)
    came = [event["data"]["object"]["id"] for event in receiver.events()]
    assert (sorted(came), came != made) == (sorted(made), True)


def test_an_event_can_be_sent_again(
    stand_in: StandIn, client: stripe.StripeClient, receiver: Receiver
) -> None:
    register(client, receiver, enabled_events=["customer.created"])
    client.v1.customers.create({})
    wait_until(lambda: len(receiver.got) == 1)
    stand_in.control("replay", event=receiver.events()[0]["id"])
    wait_until(lambda: len(receiver.got) == 2)


def test_an_event_shows_the_object_as_it_was_and_what_changed(client: stripe.StripeClient) -> None:
    row = client.v1.customers.create({"name": "Before"}, {"idempotency_key": "made"})
    client.v1.customers.update(row.id, {"name": "After"})
    changed, made = client.v1.events.list({"type": "customer.*"}).data
    assert (made.data.object["name"], changed.data.object["name"]) == ("Before", "After")
    assert changed.data.previous_attributes is not None
    assert changed.data.previous_attributes.to_dict() == {"name": "Before"}
    assert made.request is not None
    assert made.request.idempotency_key == "made"


def test_every_step_of_a_payment_leaves_its_event(stand_in: StandIn, client: stripe.StripeClient) -> None:
    customer, method = saved_card(client)
    intent = pay(client, method, customer=customer)
    client.v1.refunds.create({"payment_intent": intent.id})
    client.v1.payment_methods.detach(method)
    challenged = pay(client, "pm_card_authenticationRequired")
    client.v1.payment_intents.cancel(challenged.id)
    with pytest.raises(stripe.CardError):
        pay(client, "pm_card_visa_chargeDeclined")
    types = [event.type for event in client.v1.events.list({"limit": 100}).data][::-1]
    assert types == [
        "customer.created",
        "payment_method.attached",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.refunded",
        "refund.created",
        "payment_method.detached",
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.canceled",
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
    ]


def test_events_older_than_thirty_days_are_gone(stand_in: StandIn, client: stripe.StripeClient) -> None:
    row = client.v1.customers.create({})
    stand_in.control("advance", seconds=31 * 86400)
    client.v1.customers.update(row.id, {"name": "New"})
    assert [event.type for event in client.v1.events.list().data] == ["customer.updated"]


def test_one_accounts_clock_moves_without_the_others(
    stand_in: StandIn, client: stripe.StripeClient, key: str, name: str
) -> None:
    at = int(time.time()) + 400 * 86400
    stand_in.control("set_clock", at=at, account=key)
    assert 0 <= client.v1.customers.create({}).created - at <= 2
    assert 0 <= client.v1.events.list().data[0].created - at <= 2
    other = stand_in.client(f"sk_test_c{name}").v1.customers.create({})
    assert abs(other.created - time.time()) <= 2


def test_health_is_answered(stand_in: StandIn) -> None:
    assert httpx.get(f"{stand_in.base}/healthz").json() == {"status": "ok"}
