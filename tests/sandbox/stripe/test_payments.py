"""Payments by the API: cards that pay, cards that do not, capture, cancellation, fees."""

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.conftest import StandIn, pay, saved_card


def test_a_confirmed_payment_succeeds_with_a_charge_and_a_fee(client: stripe.StripeClient) -> None:
    intent = pay(client, expand=["latest_charge.balance_transaction"])
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    entry = charge.balance_transaction
    assert isinstance(entry, stripe.BalanceTransaction)
    assert (intent.status, intent.amount_received, charge.status, charge.captured) == (
        "succeeded",
        2000,
        "succeeded",
        True,
    )
    assert (entry.amount, entry.fee, entry.net) == (2000, 58 + 25, 2000 - 83)
    assert entry.fee == sum(part.amount for part in entry.fee_details)


@pytest.mark.parametrize(
    ("currency", "amount", "fee"),
    [("usd", 1000, 59), ("eur", 1000, 54), ("jpy", 5000, 185), ("bhd", 5000, 255)],
)
def test_fees_are_whole_minor_units_of_the_currency(
    client: stripe.StripeClient, currency: str, amount: int, fee: int
) -> None:
    intent = pay(client, currency=currency, amount=amount, expand=["latest_charge.balance_transaction"])
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert intent.latest_charge.balance_transaction.fee == fee


DECLINES = [
    ("4000000000000002", "pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    (
        "4000000000009995",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "card_declined",
        "insufficient_funds",
    ),
    ("4000000000009987", "pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("4000000000000069", "pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
    ("4000000000000119", "pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
]


@pytest.mark.parametrize(("number", "token", "code", "decline"), DECLINES)
def test_a_declined_card_says_why_and_shows_the_intent(
    client: stripe.StripeClient, number: str, token: str, code: str, decline: str
) -> None:
    card: Any = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    by_number = client.v1.payment_methods.create({"type": "card", "card": card})
    for method in (by_number.id, token):
        with pytest.raises(stripe.CardError) as refused:
            pay(client, method)
        error: Any = refused.value.error
        assert (refused.value.http_status, error.type, error.code) == (402, "card_error", code)
        assert error.decline_code == decline
        assert error.payment_intent.status == "requires_payment_method"
        kept = client.v1.payment_intents.retrieve(error.payment_intent.id)
        assert kept.last_payment_error is not None
        assert kept.last_payment_error.decline_code == decline
        assert client.v1.charges.retrieve(error.charge).failure_code == code


def test_a_declining_card_cannot_be_attached_but_0341_can_and_fails_later(
    client: stripe.StripeClient,
) -> None:
    customer = client.v1.customers.create({})
    with pytest.raises(stripe.CardError):
        client.v1.payment_methods.attach("pm_card_visa_chargeDeclined", {"customer": customer.id})
    method = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    with pytest.raises(stripe.CardError) as refused:
        pay(client, method.id, customer=customer.id, off_session=True)
    assert refused.value.code == "card_declined"


def test_off_session_needs_authentication_until_the_card_was_set_up(
    stand_in: StandIn, client: stripe.StripeClient
) -> None:
    customer, method = saved_card(client, "pm_card_authenticationRequiredOnSetup")
    with pytest.raises(stripe.CardError) as refused:
        pay(client, method, customer=customer, off_session=True)
    error: Any = refused.value.error
    assert (refused.value.code, error.decline_code) == ("authentication_required",) * 2
    assert error.payment_intent.last_payment_error.payment_method.id == method
    setup = client.v1.setup_intents.create(
        {"customer": customer, "payment_method": method, "confirm": True, "usage": "off_session"}
    )
    assert setup.status == "requires_action"
    stand_in.control("authenticate", intent=setup.id, outcome="complete")
    assert client.v1.setup_intents.retrieve(setup.id).status == "succeeded"
    assert pay(client, method, customer=customer, off_session=True).status == "succeeded"


def test_3184_asks_every_time_and_a_failed_challenge_leaves_the_intent_payable(
    stand_in: StandIn, client: stripe.StripeClient
) -> None:
    intent = pay(client, "pm_card_authenticationRequired")
    assert (intent.status, intent.next_action and intent.next_action.type) == (
        "requires_action",
        "use_stripe_sdk",
    )
    stand_in.control("authenticate", intent=intent.id, outcome="fail")
    failed = client.v1.payment_intents.retrieve(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_authenticationRequired"})
    assert again.status == "requires_action"
    stand_in.control("authenticate", intent=intent.id)
    done = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert done.status == "succeeded"
    assert isinstance(done.latest_charge, stripe.Charge)
    details = done.latest_charge.payment_method_details
    assert details is not None and details.card is not None and details.card.three_d_secure is not None
    assert details.card.three_d_secure.result == "authenticated"


def test_a_card_kept_for_later_is_attached_and_one_not_kept_is_spent(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    kept = pay(client, customer=customer.id, setup_future_usage="off_session")
    methods = client.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data
    assert [method.id for method in methods] == [kept.payment_method]
    once = pay(client)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        pay(client, str(once.payment_method))


def test_another_customers_card_cannot_pay(client: stripe.StripeClient) -> None:
    _, method = saved_card(client)
    stranger = client.v1.customers.create({})
    with pytest.raises(stripe.InvalidRequestError, match="belongs to a Customer"):
        pay(client, method, customer=stranger.id)


def test_manual_capture_takes_part_and_releases_the_rest(client: stripe.StripeClient) -> None:
    held = pay(client, capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 2000, 0)
    done = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 1500})
    assert (done.status, done.amount_received) == ("succeeded", 1500)
    charge = client.v1.charges.retrieve(str(done.latest_charge))
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (2000, 1500, 500)


def test_a_cancelled_hold_is_released_and_cannot_be_confirmed(client: stripe.StripeClient) -> None:
    held = pay(client, capture_method="manual")
    gone = client.v1.payment_intents.cancel(held.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    assert client.v1.charges.retrieve(str(held.latest_charge)).refunded is True
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.confirm(held.id)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_a_paid_intent_cannot_be_paid_or_cancelled_again(client: stripe.StripeClient) -> None:
    done = pay(client)
    for act in (client.v1.payment_intents.confirm, client.v1.payment_intents.cancel):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            act(done.id)
        assert refused.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"amount": 10}, "amount_too_small"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"currency": "xyz"}, "parameter_invalid_string"),
        ({"amount": 5001, "currency": "kwd"}, "parameter_invalid_integer"),
        ({"colour": "red"}, "parameter_unknown"),
        ({"automatic_payment_methods": {"enabled": True, "nonsense": 1}}, "parameter_unknown"),
        ({"customer": "cus_nobody"}, "resource_missing"),
        ({"metadata": {"key": "x" * 501}}, "parameter_invalid_string"),
    ],
)
def test_wrong_parameters_are_refused_by_name(
    client: stripe.StripeClient, params: dict[str, Any], code: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, **params)
    assert refused.value.code == code


def test_confirming_on_the_server_with_redirects_wants_a_return_url(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        pay(client, allowed_payment_method_types=[])


def test_types_are_allowed_no_longer_chosen_unless_the_version_is_older(
    stand_in: StandIn, client: stripe.StripeClient, key: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(client, payment_method_types=["card"])
    assert refused.value.code == "payment_method_types_no_longer_supported"
    older = stand_in.client(key, stripe_version="2026-08-26.dahlia")
    assert pay(
        older, payment_method_types=["card"], allowed_payment_method_types=[]
    ).payment_method_types == ["card"]
    with pytest.raises(stripe.InvalidRequestError, match="may only specify one"):
        pay(client, automatic_payment_methods={"enabled": True})


def test_refunds_never_exceed_what_was_paid(client: stripe.StripeClient) -> None:
    intent = pay(client)
    part = client.v1.refunds.create(
        {"payment_intent": intent.id, "amount": 500, "reason": "requested_by_customer"}
    )
    entry = client.v1.balance_transactions.retrieve(str(part.balance_transaction))
    assert (part.status, entry.amount, entry.fee, entry.type) == ("succeeded", -500, 0, "refund")
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 1501})
    client.v1.refunds.create({"charge": str(intent.latest_charge)})
    charge = client.v1.charges.retrieve(str(intent.latest_charge), {"expand": ["refunds"]})
    assert (charge.refunded, charge.amount_refunded) == (True, 2000)
    assert charge.refunds is not None
    assert [refund.amount for refund in charge.refunds.data] == [1500, 500]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"


def test_card_0259_is_disputed_and_the_money_taken_back(client: stripe.StripeClient) -> None:
    intent = pay(client, "pm_card_createDispute")
    dispute = client.v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 2000)
    assert [entry.net for entry in dispute.balance_transactions] == [-2000 - 2000]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_disputed"
    won = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert won.status == "won"


def test_an_ordinary_charge_can_be_disputed_later(stand_in: StandIn, client: stripe.StripeClient) -> None:
    intent = pay(client)
    stand_in.control("dispute", charge=intent.latest_charge, reason="product_not_received")
    assert [row.reason for row in client.v1.disputes.list().data] == ["product_not_received"]
    assert client.v1.disputes.close(client.v1.disputes.list().data[0].id).status == "lost"


def test_the_balance_is_the_sum_of_its_transactions(stand_in: StandIn, client: stripe.StripeClient) -> None:
    pay(client)
    pay(client)
    net = sum(entry.net for entry in client.v1.balance_transactions.list().data)
    before = {part.currency: part.amount for part in client.v1.balance.retrieve().pending}
    stand_in.control("advance", seconds=3 * 86400)
    after = {part.currency: part.amount for part in client.v1.balance.retrieve().available}
    assert (before["eur"], after["eur"]) == (net, net)
