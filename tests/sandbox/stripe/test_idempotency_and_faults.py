"""What happens when an answer is lost, wrong, late or asked for twice."""

import threading
import time
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.stripe.conftest import StandIn, wait_until

WISH: Any = {
    "amount": 2000,
    "currency": "eur",
    "payment_method": "pm_card_visa",
    "allowed_payment_method_types": ["card"],
    "confirm": True,
}


def charges(client: stripe.StripeClient) -> int:
    return len(client.v1.charges.list({"limit": 100}).data)


def attempt(client: stripe.StripeClient, key: str, **change: Any) -> stripe.PaymentIntent:
    wish: Any = WISH | change
    return client.v1.payment_intents.create(wish, {"idempotency_key": key})


def test_the_same_key_gets_the_first_answer_and_charges_once(client: stripe.StripeClient) -> None:
    first, second = attempt(client, "k1"), attempt(client, "k1")
    assert (first.id, charges(client)) == (second.id, 1)
    assert second.last_response is not None
    assert second.last_response.headers["idempotent-replayed"] == "true"


def test_a_first_answer_that_was_a_decline_is_kept_too(client: stripe.StripeClient) -> None:
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            attempt(client, "k1", payment_method="pm_card_visa_chargeDeclined")
        assert refused.value.code == "card_declined"
    assert charges(client) == 1


def test_other_parameters_or_another_path_under_one_key_are_an_error(client: stripe.StripeClient) -> None:
    attempt(client, "k1")
    with pytest.raises(stripe.IdempotencyError) as refused:
        attempt(client, "k1", amount=2100)
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.customers.create({}, {"idempotency_key": "k1"})


def test_keys_of_different_accounts_do_not_meet(
    stand_in: StandIn, client: stripe.StripeClient, name: str
) -> None:
    other = stand_in.client(f"sk_test_b{name}")
    assert attempt(client, "k1").id != attempt(other, "k1", amount=2100).id


def test_a_refused_parameter_leaves_the_key_unused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        attempt(client, "k1", amount=1)
    assert attempt(client, "k1").status == "succeeded"


def test_keys_are_forgotten_after_a_day_of_the_stand_ins_clock(
    stand_in: StandIn, client: stripe.StripeClient
) -> None:
    first = attempt(client, "k1")
    stand_in.control("advance", seconds=24 * 3600 - 60)
    assert attempt(client, "k1").id == first.id
    stand_in.control("advance", seconds=120)
    assert attempt(client, "k1").id != first.id


def test_a_key_in_flight_is_a_conflict(
    stand_in: StandIn, client: stripe.StripeClient, key: str, name: str
) -> None:
    stand_in.control("fault", kind="slow", path="/v1/payment_intents", seconds=0.6)
    slow: list[stripe.PaymentIntent] = []
    thread = threading.Thread(target=lambda: slow.append(attempt(client, name)))
    thread.start()
    wait_until(lambda: any(entry.get("idempotency_key") == name for entry in stand_in.look()["requests"]))
    with pytest.raises(stripe.APIError) as refused:
        attempt(stand_in.client(key), name)
    assert refused.value.error is not None
    assert (refused.value.http_status, refused.value.error.code) == (409, "idempotency_key_in_use")
    thread.join()
    assert (slow[0].status, charges(client)) == ("succeeded", 1)


def test_an_answer_lost_after_charging_is_found_by_asking_again(
    stand_in: StandIn, client: stripe.StripeClient
) -> None:
    stand_in.control("fault", kind="lost", path="/v1/payment_intents", method="POST")
    with pytest.raises(stripe.APIConnectionError):
        attempt(client, "k1", metadata={"payment": "p1"})
    found = client.v1.payment_intents.search({"query": "metadata['payment']:'p1'"}).data
    assert [intent.status for intent in found] == ["succeeded"]
    assert attempt(client, "k1", metadata={"payment": "p1"}).id == found[0].id
    assert charges(client) == 1


def test_a_500_after_execution_is_the_kept_answer(stand_in: StandIn, client: stripe.StripeClient) -> None:
    stand_in.control("fault", kind="error_after", path="/v1/payment_intents")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as refused:
            attempt(client, "k1")
        assert refused.value.http_status == 500
    assert charges(client) == 1


def test_a_500_before_execution_is_kept_as_well_and_charges_nothing(
    stand_in: StandIn, client: stripe.StripeClient
) -> None:
    stand_in.control("fault", kind="error_before", path="/v1/payment_intents")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            attempt(client, "k1")
    assert charges(client) == 0
    assert attempt(client, "k2").status == "succeeded"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limit", stripe.RateLimitError),
        ("reset_before", stripe.APIConnectionError),
        ("unavailable", stripe.APIError),
    ],
)
def test_what_never_began_may_be_tried_again_under_the_same_key(
    stand_in: StandIn, client: stripe.StripeClient, kind: str, error: type[Exception]
) -> None:
    stand_in.control("fault", kind=kind, path="/v1/payment_intents")
    with pytest.raises(error):
        attempt(client, "k1")
    assert charges(client) == 0
    assert attempt(client, "k1").status == "succeeded"


def test_faults_hit_the_named_path_account_and_number_of_times_only(
    stand_in: StandIn, client: stripe.StripeClient, name: str
) -> None:
    account = client.v1.accounts.retrieve_current().id
    stand_in.control("fault", kind="rate_limit", path="/v1/customers*", account=account, times=2, skip=1)
    stand_in.client(f"sk_test_z{name}").v1.customers.create({})
    client.v1.customers.create({})
    client.v1.payment_intents.list()
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError):
            client.v1.customers.create({})
    client.v1.customers.create({})


def test_a_slow_answer_runs_into_the_callers_timeout_though_the_charge_stands(
    stand_in: StandIn, client: stripe.StripeClient, key: str
) -> None:
    stand_in.control("fault", kind="slow_after", path="/v1/payment_intents", seconds=1.2)
    hurried = stand_in.client(key, http_client=stripe.HTTPXClient(timeout=0.4, allow_sync_methods=True))
    begun = time.monotonic()
    with pytest.raises(stripe.APIConnectionError):
        attempt(hurried, "k1")
    assert time.monotonic() - begun < 1.1
    assert charges(client) == 1


def test_unknown_controls_are_refused_and_browsers_kept_out(stand_in: StandIn) -> None:
    url = f"{stand_in.base}/_control"
    assert httpx.post(url, json={"action": "explode"}).status_code == 400
    assert httpx.post(url, json={"action": "fault", "kind": "nonsense"}).status_code == 400
    assert (
        httpx.post(url, content='{"action": "reset"}', headers={"Content-Type": "text/plain"}).status_code
        == 415
    )
