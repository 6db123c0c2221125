"""Money that goes back, or does not fit: told in any order, booked once; the books say what Stripe says."""

import os
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.test import RequestFactory

from audit.models import AuditEvent
from audit.reading import opened
from billing import (
    asking,
    collecting,
    connecting,
    listing,
    payments,
    resuming,
    sweeping,
    unparking,
    webhooks,
)
from billing.errors import Refused
from billing.giving_up import give_up
from billing.ledger_checking import check
from billing.models import Dispute, Invoice, Payment, PaymentProfile, Refund, StripeEvent
from tenants.context import current_schema
from tenants.models import Job
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM, balance

State = Payment.State


def deliver(*kinds: str) -> None:
    """Tell of these events of the tenant's account, the newest first, and have them handled."""
    for event in [e for e in standin.objects("event") if e["type"] in kinds][::-1]:
        body, signature = standin.signed(event, standin.webhook_secret())
        headers = {"Stripe-Signature": signature}
        request = RequestFactory().post("/webhooks/stripe/", body, "application/json", headers=headers)
        assert webhooks.stripe_webhook(request).status_code == 200
    standin.work(datetime.now(connecting.require().connected_at.tzinfo))


def begun(invoice: Invoice, now: datetime) -> Payment:
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    return collecting.send(payment.pk, actor=SYSTEM, now=now)


def surplus(invoice: Invoice, now: datetime, *, by_hand: int) -> Payment:
    """A payment that Stripe has taken after the invoice was paid (in part) by hand: its page stayed open."""
    payment = begun(invoice, now)
    give_up(payment.pk, "for a test", states={State.NEEDS_ACTION}, actor=SYSTEM, now=now)
    payments.record_manual(invoice, amount=by_hand, received_on=now.date(), actor=SYSTEM, now=now)
    standin.confirm(payment)
    Payment.objects.filter(pk=payment.pk).update(state=State.SENT)
    return asking.ask(payment.pk, actor=SYSTEM, now=now)


def refund(payment: Payment, amount: int) -> dict[str, Any]:
    """Give money back as the tenant does in Stripe's dashboard."""
    gateway: Any = connecting.gateway()
    found: dict[str, Any] = gateway._ask(
        "post", "refunds", charge=gateway.intent(payment.external_id).charge, amount=amount
    )
    return found


def at_stripe() -> int:
    """What Stripe says is in the tenant's balance."""
    return sum(row["net"] for row in standin.objects("balance_transaction"))


def test_a_refund_told_before_the_payments_answer_was_stored_is_booked_with_it(
    invoice: Invoice, now: datetime
) -> None:
    payment = begun(invoice, now)
    standin.confirm(payment)
    refund(payment, 1900)
    Payment.objects.filter(pk=payment.pk).update(external_id=None, state=State.SENT)
    deliver("charge.refunded")
    payment.refresh_from_db()
    assert (payment.state, Refund.objects.get().amount) == (State.SUCCEEDED, 1900)
    assert (balance("receivable"), balance("refunds"), balance("stripe")) == (0, 1900, at_stripe())
    assert check().findings == []


def test_a_dispute_told_before_the_payments_answer_was_stored_is_booked_with_it(
    invoice: Invoice, now: datetime
) -> None:
    payment = begun(invoice, now)
    standin.confirm(payment, "pm_card_createDispute")
    Payment.objects.filter(pk=payment.pk).update(external_id=None, state=State.UNKNOWN)
    deliver("charge.dispute.created", "charge.dispute.funds_withdrawn")
    assert Dispute.objects.get().payment_id == payment.pk
    assert (balance("disputes"), balance("stripe")) == (invoice.total, at_stripe())
    assert check().findings == []


def test_what_came_beyond_what_was_due_is_credit_once_a_person_books_it(
    invoice: Invoice, now: datetime
) -> None:
    payment = surplus(invoice, now, by_hand=5000)
    assert payment.state == State.PARKED
    with pytest.raises(Refused, match="succeeded"):
        unparking.did_not_happen(payment, reason="I think so", actor=SYSTEM, now=now)
    payment = unparking.take_in(payment, actor=SYSTEM, now=now)
    invoice.refresh_from_db()
    assert (payment.state, invoice.status, invoice.amount_paid) == (State.SUCCEEDED, "paid", invoice.total)
    assert [str(each) for each in listing.credit_of(invoice.customer)] == ["50.00 EUR"]
    assert (balance("credit"), balance("receivable"), balance("stripe")) == (-5000, 0, at_stripe())
    assert check().findings == []
    with pytest.raises(Refused):
        unparking.take_in(payment, actor=SYSTEM, now=now)


def test_a_refund_takes_the_credit_first_and_comes_back_the_same_way(invoice: Invoice, now: datetime) -> None:
    payment = unparking.take_in(surplus(invoice, now, by_hand=5000), actor=SYSTEM, now=now)
    back = refund(payment, 6000)
    deliver("charge.refunded")
    assert (balance("credit"), balance("refunds")) == (0, 1000)
    assert listing.credit_of(invoice.customer) == []
    standin.control("fail_refund", refund=back["id"])
    deliver("refund.failed", "refund.updated", "charge.refunded")
    assert (balance("credit"), balance("refunds"), balance("stripe")) == (-5000, 0, at_stripe())
    assert Refund.objects.get().failed_at is not None
    assert AuditEvent.objects.filter(action="refund.failed").count() == 1
    [row] = listing.payments_of(invoice.customer, limit=5)[-1:]
    assert row.refunded.minor == 0
    refund(payment, 11900)
    deliver("charge.refunded")
    assert (balance("credit"), balance("refunds"), balance("stripe")) == (0, 6900, at_stripe())
    assert check().findings == []


def test_what_waits_for_a_person_and_was_given_back_at_stripe_is_booked_both_ways(
    invoice: Invoice, now: datetime
) -> None:
    payment = surplus(invoice, now, by_hand=invoice.total)
    refund(payment, payment.amount)
    deliver("charge.refunded")
    payment.refresh_from_db()
    assert payment.state == State.SUCCEEDED
    assert (balance("credit"), balance("refunds"), balance("bank")) == (0, 0, invoice.total)
    assert balance("stripe") == at_stripe()
    assert check().findings == []


def test_nothing_is_booked_that_stripe_has_not_taken(invoice: Invoice, now: datetime) -> None:
    from billing import settling

    payment = begun(invoice, now)
    settling.park(payment.pk, "for a test", actor=SYSTEM, now=now)
    with pytest.raises(Refused, match="taken nothing"):
        unparking.take_in(payment, actor=SYSTEM, now=now)
    assert balance("stripe") == 0


def test_refunds_of_others_in_the_same_account_are_left_alone(shop: Any, now: datetime) -> None:
    gateway: Any = connecting.gateway()
    body = {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}  # fmt: skip
    intent = gateway._ask("post", "payment_intents", **body)
    gateway._ask("post", "refunds", payment_intent=intent["id"])
    deliver("charge.refunded")
    assert set(StripeEvent.objects.values_list("outcome", flat=True)) == {"not ours"}
    assert balance("stripe") == 0


def test_an_intent_that_only_bears_a_payments_id_is_never_booked_as_it(
    invoice: Invoice, now: datetime
) -> None:
    payment = begun(invoice, now)
    standin.confirm(payment)
    payment = asking.ask(payment.pk, actor=SYSTEM, now=now)
    gateway: Any = connecting.gateway()
    other = gateway._ask(
        "post", "payment_intents", amount=11900, currency="eur", payment_method="pm_card_visa", confirm=True,
        automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
        metadata={"tenant": current_schema(), "payment_id": str(payment.pk)},
    )  # fmt: skip
    gateway._ask("post", "refunds", payment_intent=other["id"])
    before = (balance("stripe"), balance("refunds"))
    deliver("payment_intent.succeeded", "charge.refunded")
    payment.refresh_from_db()
    assert (balance("stripe"), balance("refunds")) == before
    assert (payment.state, payment.note, Refund.objects.count()) == (State.SUCCEEDED, "Visa •••• 4242", 0)
    [parked] = Job.objects.filter(schema_name=current_schema(), state=Job.State.PARKED)
    assert other["id"] in parked.last_error
    assert sweeping.rouse(now=now + timedelta(hours=2)) == 0
    assert check().findings == []


def test_a_payment_whose_metadata_was_edited_away_at_stripe_is_known_by_its_intent(
    invoice: Invoice, now: datetime
) -> None:
    payment = begun(invoice, now)
    standin.confirm(payment)
    asking.ask(payment.pk, actor=SYSTEM, now=now)
    gateway: Any = connecting.gateway()
    gateway._ask("post", f"payment_intents/{payment.external_id}", metadata={"payment_id": "", "tenant": ""})
    refund(payment, 1900)
    deliver("charge.refunded")
    assert (balance("refunds"), balance("stripe")) == (1900, at_stripe())


def test_a_dispute_holds_the_customers_credit_first_and_gives_it_back_when_won(
    invoice: Invoice, now: datetime
) -> None:
    payment = unparking.take_in(surplus(invoice, now, by_hand=5000), actor=SYSTEM, now=now)
    charge = connecting.gateway().intent(payment.external_id or "").charge
    told = standin.control("dispute", charge=charge)
    deliver("charge.dispute.created", "charge.dispute.funds_withdrawn")
    assert listing.credit_of(invoice.customer) == []
    assert (balance("credit"), balance("disputes"), balance("stripe")) == (0, 6900, at_stripe())
    gateway: Any = connecting.gateway()
    gateway._ask("post", f"disputes/{told['id']}", evidence={"uncategorized_text": "winning_evidence"})
    deliver("charge.dispute.closed", "charge.dispute.funds_reinstated")
    assert [str(each) for each in listing.credit_of(invoice.customer)] == ["50.00 EUR"]
    assert (balance("credit"), balance("disputes"), balance("stripe")) == (-5000, 0, at_stripe())
    assert check().findings == []


def test_a_won_dispute_does_not_bring_back_a_pause_that_staff_have_lifted(
    customer: Any, now: datetime
) -> None:
    lost = _disputed(customer, now)
    deliver("charge.dispute.created")
    connecting.gateway()._ask("post", f"disputes/{lost}/close")  # type: ignore[attr-defined]
    deliver("charge.dispute.closed")
    assert PaymentProfile.objects.get().paused_reason == f"dispute {lost}"
    closing = AuditEvent.objects.filter(action="dispute.moved", details__dispute=lost).last()
    assert closing is not None
    assert (closing.details["before"], closing.details["after"]) == (
        {"status": "needs_response"}, {"status": "lost"},
    )  # fmt: skip
    resuming.resume_customer(customer, actor=SYSTEM, now=now)
    won = _disputed(customer, now)
    deliver("charge.dispute.created")
    assert PaymentProfile.objects.get().paused_reason == f"dispute {won}"
    gateway: Any = connecting.gateway()
    gateway._ask("post", f"disputes/{won}", evidence={"uncategorized_text": "winning_evidence"})
    deliver("charge.dispute.closed")
    assert PaymentProfile.objects.get().paused_reason == ""


def test_a_dispute_of_an_account_that_is_gone_can_be_lifted(customer: Any, now: datetime) -> None:
    from billing import disconnecting

    _disputed(customer, now)
    deliver("charge.dispute.created")
    with pytest.raises(Refused, match="not decided"):
        resuming.resume_customer(customer, actor=SYSTEM, now=now)
    disconnecting.disconnect(actor=SYSTEM, now=now)
    standin.connect(now + timedelta(seconds=1))
    resuming.resume_customer(customer, actor=SYSTEM, now=now)
    assert PaymentProfile.objects.get().paused_reason == ""


def _disputed(customer: Any, now: datetime) -> str:
    payment = begun(standin.make_invoice(customer, now), now)
    standin.confirm(payment, "pm_card_createDispute")
    payment = asking.ask(payment.pk, actor=SYSTEM, now=now)
    found = [row for row in standin.objects("dispute") if row["payment_intent"] == payment.external_id]
    return str(found[0]["id"])


REFUND = "(SELECT id FROM billing_journalentry WHERE key LIKE 'refund:%' AND key NOT LIKE '%:failed' LIMIT 1)"
FEE = "(SELECT id FROM billing_journalentry WHERE key LIKE 'payment:%:fee' LIMIT 1)"
DISPUTE = "(SELECT id FROM billing_journalentry WHERE key LIKE 'dispute:%' LIMIT 1)"
DAMAGES = {
    "a refund's amount": ["UPDATE billing_refund SET amount = amount + 1"],
    "a refund lost": ["DELETE FROM billing_refund"],
    "a refund beyond the payment": ["UPDATE billing_refund SET amount = 99999"],
    "a refund said to have failed": ["UPDATE billing_refund SET failed_at = now()"],
    "a refund's booking": [f"UPDATE billing_posting SET amount = amount * 2 WHERE entry_id = {REFUND}"],
    "a refund without its booking": [
        f"CREATE TEMP TABLE gone AS SELECT {REFUND} AS id",
        "DELETE FROM billing_posting WHERE entry_id = (SELECT id FROM gone)",
        "DELETE FROM billing_journalentry WHERE id = (SELECT id FROM gone)",
    ],
    "a fee's booking": [f"UPDATE billing_posting SET amount = amount * 2 WHERE entry_id = {FEE}"],
    "a payment's fee": ["UPDATE billing_payment SET fee = fee + 1 WHERE fee IS NOT NULL"],
    "a fee without its booking": [
        f"CREATE TEMP TABLE gone AS SELECT {FEE} AS id",
        "DELETE FROM billing_posting WHERE entry_id = (SELECT id FROM gone)",
        "DELETE FROM billing_journalentry WHERE id = (SELECT id FROM gone)",
    ],
    "a dispute's booking": [f"UPDATE billing_posting SET amount = amount * 2 WHERE entry_id = {DISPUTE}"],
    "a dispute's fee": [
        f"UPDATE billing_posting SET amount = amount + 700 WHERE entry_id = {DISPUTE} AND account = 'fees'",
        f"UPDATE billing_posting SET amount = amount - 700 WHERE entry_id = {DISPUTE} AND account = 'stripe'",
    ],
    "an entry of no known kind": [
        f"UPDATE billing_journalentry SET key = 'odd:1' WHERE id = {DISPUTE}",
    ],
    "a payment on the bank instead of Stripe": [
        "UPDATE billing_posting SET account = 'bank' WHERE account = 'stripe' AND amount > 0",
    ],
    "a dispute lost": ["DELETE FROM billing_dispute"],
    "credit from nowhere": [
        f"UPDATE billing_posting SET account = 'credit' WHERE entry_id = {DISPUTE} AND account = 'disputes'"
    ],
}


@pytest.fixture
def moved(customer: Any, now: datetime) -> None:
    """One payment refunded in part, one disputed."""
    refund(_paid(customer, now, "pm_card_visa"), 1900)
    _paid(customer, now, "pm_card_createDispute")
    deliver("charge.refunded", "charge.dispute.created", "charge.dispute.funds_withdrawn")


def _paid(customer: Any, now: datetime, card: str) -> Payment:
    payment = begun(standin.make_invoice(customer, now), now)
    standin.confirm(payment, card)
    return payment


def test_each_damage_to_what_went_back_is_found(moved: None, shop: Any) -> None:
    assert check().findings == []
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        owner.execute(f"SET search_path = {shop.schema_name}")
        for table in ("invoice", "journalentry", "posting", "payment", "refund", "dispute"):
            owner.execute(f"ALTER TABLE billing_{table} DISABLE TRIGGER USER")
    missed = []
    for name, statements in DAMAGES.items():
        with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
            owner.execute(f"SET search_path = {shop.schema_name}")
            for statement in statements:
                owner.execute(statement)
            found = [proof for proof, sql in _proofs() if owner.execute(sql).fetchall()]
            if not found:
                missed.append(name)
            owner.rollback()
    assert missed == []


def _proofs() -> list[tuple[str, str]]:
    from billing.ledger_proofs import PROOFS

    return list(PROOFS.items())


def test_another_account_makes_old_cards_void_on_record(customer: Any, now: datetime) -> None:
    from billing import disconnecting
    from billing.models import PaymentMethod, PaymentProfile

    card = standin.with_card(customer, now)
    disconnecting.disconnect(actor=SYSTEM, now=now)
    standin.connect(now + timedelta(seconds=1))
    card.refresh_from_db()
    profile = PaymentProfile.objects.get()
    assert (card.removed_at is not None, card.is_default) == (True, False)
    assert (profile.stripe_customer, profile.autopay) == ("", False)
    events = AuditEvent.objects.filter(details__has_key="why")
    assert sorted(events.values_list("action", "subject_id")) == sorted(
        [("card.removed", str(card.pk)), ("autopay.changed", str(customer.pk))]
    )
    assert PaymentMethod.objects.count() == 1
    assert opened([events.get(action="card.removed")])[0].details["before"]["last4"] == "4242"
