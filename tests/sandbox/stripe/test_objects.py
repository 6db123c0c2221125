"""Customers, cards, lists, expansion, search, metadata; and that no account sees another's."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.stripe.conftest import StandIn, pay, saved_card


def test_one_key_never_sees_what_another_made(
    stand_in: StandIn, client: stripe.StripeClient, name: str
) -> None:
    customer, method = saved_card(client)
    intent = pay(client)
    other = stand_in.client(f"sk_test_other{name}")
    for look in (
        lambda: other.v1.customers.retrieve(customer),
        lambda: other.v1.payment_methods.retrieve(method),
        lambda: other.v1.payment_intents.retrieve(intent.id),
        lambda: other.v1.charges.retrieve(str(intent.latest_charge)),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            look()
        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert (other.v1.customers.list().data, other.v1.events.list().data) == ([], [])


def test_secret_restricted_and_publishable_keys_of_one_name_open_one_account(
    stand_in: StandIn, name: str
) -> None:
    secret, restricted = stand_in.client(f"sk_test_{name}"), stand_in.client(f"rk_test_{name}")
    assert secret.v1.accounts.retrieve_current().id == restricted.v1.accounts.retrieve_current().id
    intent = secret.v1.payment_intents.create({"amount": 500, "currency": "eur"})
    url = f"{stand_in.base}/v1/payment_intents/{intent.id}"
    seen = httpx.get(
        url, params={"key": f"pk_test_{name}", "client_secret": intent.client_secret or ""}
    ).json()
    assert (seen["id"], "metadata" in seen) == (intent.id, False)


def test_a_publishable_key_opens_nothing_without_the_client_secret(
    stand_in: StandIn, client: stripe.StripeClient, name: str
) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "eur"})
    public = {"key": f"pk_test_{name}"}
    alone = httpx.get(f"{stand_in.base}/v1/payment_intents/{intent.id}", params=public)
    wrong = httpx.get(
        f"{stand_in.base}/v1/payment_intents/{intent.id}", params={**public, "client_secret": "pi_x_secret_y"}
    )
    listing = httpx.get(f"{stand_in.base}/v1/customers", params=public)
    assert (alone.status_code, wrong.status_code, listing.status_code) == (401, 400, 401)


def test_live_keys_and_no_keys_are_refused(stand_in: StandIn) -> None:
    with pytest.raises(stripe.AuthenticationError):
        stand_in.client("sk_live_abcdefghijklmnop").v1.customers.list()
    assert httpx.get(f"{stand_in.base}/v1/customers").status_code == 401


def test_a_restricted_key_may_be_denied_a_part_of_the_api(stand_in: StandIn, name: str) -> None:
    stand_in.control("restrict", key=f"rk_test_{name}", paths=["/v1/webhook_endpoints"])
    narrow = stand_in.client(f"rk_test_{name}")
    narrow.v1.customers.create({})
    with pytest.raises(stripe.PermissionError):
        narrow.v1.webhook_endpoints.list()


def test_lists_are_newest_first_and_page_both_ways(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"name": str(number)}).id for number in range(7)]
    first = client.v1.customers.list({"limit": 3})
    assert ([row.id for row in first.data], first.has_more) == (made[:3:-1], True)
    second = client.v1.customers.list({"limit": 3, "starting_after": made[4]})
    assert [row.id for row in second.data] == made[3:0:-1]
    back = client.v1.customers.list({"limit": 2, "ending_before": made[3]})
    assert [row.id for row in back.data] == [made[5], made[4]]
    assert [row.id for row in client.v1.customers.list({"limit": 2}).auto_paging_iter()] == made[::-1]


def test_lists_filter_by_time_customer_and_email(stand_in: StandIn, client: stripe.StripeClient) -> None:
    customer, method = saved_card(client)
    old = pay(client, method, customer=customer)
    pay(client)
    stand_in.control("advance", seconds=3600)
    new = pay(client, method, customer=customer)
    mine = client.v1.payment_intents.list({"customer": customer})
    assert [row.id for row in mine.data] == [new.id, old.id]
    recent = client.v1.payment_intents.list({"customer": customer, "created": {"gt": old.created}})
    assert [row.id for row in recent.data] == [new.id]
    assert [row.id for row in client.v1.charges.list({"payment_intent": new.id}).data] == [new.latest_charge]
    assert client.v1.customers.list({"email": "nobody@example.com"}).data == []


def test_search_finds_by_metadata_status_and_amount(client: stripe.StripeClient) -> None:
    paid = pay(client, metadata={"invoice": "I-1", "note": "it's paid"})
    waiting = client.v1.payment_intents.create(
        {"amount": 900, "currency": "eur", "metadata": {"invoice": "I-2"}}
    )

    def found(query: str) -> list[str]:
        return [row.id for row in client.v1.payment_intents.search({"query": query}).data]

    assert found("metadata['invoice']:'I-1'") == [paid.id]
    assert found('status:"succeeded" AND metadata["invoice"]:"I-2"') == []
    assert found("metadata['invoice']:'I-1' OR metadata['invoice']:'I-2'") == [waiting.id, paid.id]
    assert found("amount<1000") == [waiting.id]
    assert found("-status:'succeeded'") == [waiting.id]
    assert found(r"metadata['note']:'it\'s paid'") == [paid.id]
    with pytest.raises(stripe.InvalidRequestError, match="unable to parse"):
        found("colour:'red'")


def test_expansion_replaces_ids_at_every_level_and_refuses_nonsense(client: stripe.StripeClient) -> None:
    customer, method = saved_card(client)
    intent = pay(client, method, customer=customer)
    wide = client.v1.payment_intents.list(
        {"expand": ["data.customer", "data.latest_charge.balance_transaction"]}
    )
    assert wide.data[0].customer.name == "Ada"  # type: ignore[union-attr]
    assert wide.data[0].latest_charge.balance_transaction.net == 1917  # type: ignore[union-attr]
    assert isinstance(client.v1.payment_intents.retrieve(intent.id).customer, str)
    for path in ("colour", "amount", "latest_charge.colour"):
        with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
            client.v1.payment_intents.retrieve(intent.id, {"expand": [path]})


def test_metadata_is_merged_and_emptied_by_key_or_at_once(client: stripe.StripeClient) -> None:
    row = client.v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    row = client.v1.customers.update(row.id, {"metadata": {"b": "", "c": "3"}})
    assert row.metadata is not None
    assert row.metadata.to_dict() == {"a": "1", "c": "3"}
    row = client.v1.customers.update(row.id, {"metadata": ""})
    assert row.metadata is not None
    assert row.metadata.to_dict() == {}


def test_a_deleted_customer_loses_its_cards_and_cannot_be_used(client: stripe.StripeClient) -> None:
    customer, method = saved_card(client)
    assert client.v1.customers.delete(customer).deleted is True
    assert client.v1.customers.retrieve(customer).deleted is True
    assert client.v1.customers.list().data == []
    assert client.v1.payment_methods.retrieve(method).customer is None
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        pay(client, customer=customer)


def test_a_detached_card_is_gone_for_good_and_no_longer_the_default(client: stripe.StripeClient) -> None:
    customer, method = saved_card(client)
    client.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
    assert client.v1.payment_methods.detach(method).customer is None
    row = client.v1.customers.retrieve(customer)
    assert row.invoice_settings is not None
    assert row.invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        client.v1.payment_methods.attach(method, {"customer": customer})


def test_numbers_dates_and_codes_of_cards_are_checked(client: stripe.StripeClient) -> None:
    year = datetime.now(UTC).year
    good: Any = {"number": "4242 4242 4242 4242", "exp_month": 12, "exp_year": year + 1, "cvc": "123"}
    for change, code in (
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"number": "5105105105105100"}, "card_declined"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"exp_year": year - 1}, "invalid_expiry_year"),
        ({"cvc": "12"}, "invalid_cvc"),
    ):
        wish: Any = {"type": "card", "card": good | change}
        with pytest.raises(stripe.CardError) as refused:
            client.v1.payment_methods.create(wish)
        assert refused.value.code == code
    row = client.v1.payment_methods.create({"type": "card", "card": good})
    assert row.card is not None
    assert (row.card.last4, row.card.brand, row.card.exp_year) == ("4242", "visa", year + 1)


def test_setup_saves_a_card_and_a_declined_one_says_so(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    setup = client.v1.setup_intents.create(
        {"customer": customer.id, "allowed_payment_method_types": ["card"]}
    )
    done = client.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})
    assert done.status == "succeeded"
    assert client.v1.payment_methods.retrieve(str(done.payment_method)).customer == customer.id
    other = client.v1.setup_intents.create({"customer": customer.id})
    with pytest.raises(stripe.CardError) as refused:
        client.v1.setup_intents.confirm(other.id, {"payment_method": "pm_card_visa_chargeDeclined"})
    error: Any = refused.value.error
    assert error.setup_intent.status == "requires_payment_method"
    assert client.v1.setup_intents.cancel(other.id).status == "canceled"


def test_an_unknown_address_is_a_404_in_stripes_shape(stand_in: StandIn, key: str) -> None:
    answer = httpx.get(f"{stand_in.base}/v1/nothing", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")
    assert answer.headers["request-id"].startswith("req_")


def test_foreign_hosts_are_not_answered(stand_in: StandIn) -> None:
    assert httpx.get(f"{stand_in.base}/healthz", headers={"Host": "evil.example"}).status_code == 421
    assert httpx.get(f"{stand_in.base}/healthz", headers={"Host": "stripe.localhost"}).status_code == 200
