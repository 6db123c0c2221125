"""What billing does leaves its event: one for each rule that no other test asks about."""

from datetime import datetime
from typing import Any

import pytest

from audit.actions import Action
from audit.models import AuditEvent
from billing import (
    cards,
    cataloguing,
    collecting,
    configuring,
    connecting,
    disconnecting,
    issuing,
    mailing,
    payments,
    stripe_gateway,
)
from billing.drafting import delete_draft
from billing.models import Payment, PaymentMethod
from tests.billing.invoicing import making
from tests.billing.manage import rows
from tests.billing.payments import standin
from tests.billing.payments.conftest import customer, invoice, now, shop
from tests.billing.payments.standin import SYSTEM

__all__ = ["customer", "invoice", "now", "shop"]


def told(action: Action, kind: str, subject: object) -> dict[str, Any]:
    """The details of the one event of this action and subject, by us."""
    event = AuditEvent.objects.get(action=action.value, subject_kind=kind, subject_id=str(subject))
    assert (event.actor_kind, event.actor_label) == (SYSTEM.kind, SYSTEM.label)
    found: dict[str, Any] = event.details
    return found


def test_a_product_is_made_and_changed_on_record(tenant: Any, now: datetime) -> None:
    product = cataloguing.create_product(code="vps", name="VPS", actor=SYSTEM, now=now)
    assert told(Action.PRODUCT_CREATED, "product", product.pk)["after"]["code"] == "vps"
    cataloguing.change_product(product, name="VPS 2", actor=SYSTEM, now=now)
    change = told(Action.PRODUCT_CHANGED, "product", product.pk)
    assert (change["before"], change["after"]) == ({"name": "VPS"}, {"name": "VPS 2"})


def test_a_price_is_made_and_taken_out_on_record(tenant: Any, now: datetime) -> None:
    product = cataloguing.create_product(code="vps", name="VPS", actor=SYSTEM, now=now)
    price = cataloguing.create_price(
        product, currency="EUR", cycle="monthly", amount=990, actor=SYSTEM, now=now
    )
    after = told(Action.PRICE_CREATED, "price", price.pk)["after"]
    assert (after["product"], after["amount"], after["currency"]) == ("vps", 990, "EUR")
    cataloguing.change_price(price, is_active=False, actor=SYSTEM, now=now)
    change = told(Action.PRICE_CHANGED, "price", price.pk)
    assert (change["before"], change["after"]) == ({"is_active": True}, {"is_active": False})


def test_the_tenants_own_data_change_on_record(tenant: Any, now: datetime) -> None:
    configuring.change_tenant(name="Alpha Hosting AG", actor=SYSTEM, now=now)
    change = told(Action.SETTINGS_CHANGED, "tenant", tenant.pk)
    assert change["after"] == {"name": "Alpha Hosting AG"}
    assert list(change["before"]) == ["name"]


def test_a_draft_is_made_and_thrown_away_on_record(tenant: Any, now: datetime) -> None:
    draft = rows.draft(making.customer(), actor=SYSTEM, now=now)
    number = draft.pk
    after = told(Action.INVOICE_DRAFTED, "invoice", number)["after"]
    delete_draft(draft, actor=SYSTEM, now=now)
    assert told(Action.INVOICE_DRAFT_DELETED, "invoice", number)["before"] == after


def test_an_invoice_is_sent_once_more_on_record(tenant: Any, now: datetime) -> None:
    issued = rows.issued(making.customer(), actor=SYSTEM, now=now)
    mailing.send_again(issued, actor=SYSTEM, now=now)
    assert told(Action.INVOICE_SEND_ASKED, "invoice", issued.pk) == {"number": issued.number}


def test_an_invoice_of_nothing_is_paid_on_record(tenant: Any, now: datetime) -> None:
    draft = rows.draft(making.customer(), actor=SYSTEM, now=now, amount=0)
    issued = issuing.issue(draft, actor=SYSTEM, now=now)
    issued.refresh_from_db()
    assert issued.status == "paid"
    assert told(Action.INVOICE_PAID, "invoice", issued.pk) == {"number": issued.number, "total": 0}


def test_a_card_is_saved_chosen_and_removed_on_record(customer: Any, now: datetime) -> None:
    first, second = (standin.with_card(customer, now, f"pm_card_{each}") for each in ("visa", "mastercard"))
    for card in (first, second):
        assert told(Action.CARD_SAVED, "payment_method", card.pk) == {"customer": str(customer.pk)}
    cards.choose(first.pk, customer, actor=SYSTEM, now=now)
    again = AuditEvent.objects.filter(action=Action.CARD_SAVED.value, subject_id=str(first.pk)).first()
    assert again is not None
    assert (again.details["before"], again.details["after"]) == ({"is_default": False}, {"is_default": True})
    cards.remove(first.pk, customer, actor=SYSTEM, now=now)
    assert told(Action.CARD_REMOVED, "payment_method", first.pk) == {"before": {"is_default": True}}
    cards.mark_detached(second.external_id, actor=SYSTEM, now=now)
    assert told(Action.CARD_REMOVED, "payment_method", second.pk) == {"before": {"is_default": True}}


def test_a_card_that_its_owner_set_up_is_saved_on_record(customer: Any, now: datetime) -> None:
    setup = cards.begin_setup(customer, actor=SYSTEM, now=now)
    standin.confirm_secret(setup.client_secret, "pm_card_visa")
    cards.apply_setup(connecting.gateway().setup(setup.id), actor=SYSTEM, now=now)
    card = PaymentMethod.objects.get()
    assert told(Action.CARD_SAVED, "payment_method", card.pk) == {"customer": str(customer.pk)}


def test_what_goes_with_a_customer_that_stripe_lost_is_on_record(customer: Any, now: datetime) -> None:
    card, gateway = standin.with_card(customer, now), connecting.gateway()
    lost = collecting.ensure_customer(customer, gateway)
    assert collecting.renew_customer(customer, gateway, lost=lost, actor=SYSTEM, now=now) != lost
    why = "Stripe does not know the customer any more"
    assert told(Action.CARD_REMOVED, "payment_method", card.pk)["why"] == why


def test_a_payment_that_a_refused_key_holds_back_is_on_record(
    invoice: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.with_card(invoice.customer, now)
    payments.collect_due(actor=SYSTEM, now=now)
    payment = Payment.objects.get()
    bad = stripe_gateway.gateway_of_key("rk_live_rolled")
    monkeypatch.setattr(connecting, "gateway", lambda: bad)
    with pytest.raises(stripe_gateway.StripeBusy):
        collecting.send(payment.pk, actor=SYSTEM, now=now)
    assert told(Action.PAYMENT_HELD_BACK, "payment", payment.pk)["invoice"] == str(invoice.pk)


def test_stripe_is_left_on_record(shop: Any, now: datetime) -> None:
    connection = connecting.require()
    disconnecting.disconnect(actor=SYSTEM, now=now)
    left = told(Action.STRIPE_DISCONNECTED, "stripe_connection", connection.pk)
    assert left["before"] == {"account": connection.account_id}
