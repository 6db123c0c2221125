"""One row at least of everything, for two customers; by the rules where the database demands it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.inviting import Invitee, invite
from audit.actors import Actor
from audit.models import ChainCheck, PurgedLink
from billing import drafting, issuing
from billing.models import BillingSettings, Dispute, InvoiceRun, Payment, Refund, StripeEvent
from privacy.models import Closing, Erasure
from tenants import claiming, clock
from tenants.context import current_tenant
from tests.billing.payments import standin
from tests.billing.portal import making
from tests.wall.people import belongings, demand_second_factors
from tests.wall.rights import rights, whole_copy

ACTOR = Actor.system("tests")
NOW = making.NOW


@dataclass
class Furniture:
    """The keys of what belongs to one customer, by the name of the route's parameter."""

    ids: dict[str, Any] = field(default_factory=dict)
    user_id: UUID | None = None


def furnish(mark: str) -> dict[str, Furniture]:
    """Two customers `1` and `2`, each with one of everything; texts begin with the mark and the number."""
    _connect(mark)
    owner = making.person(f"{mark}0owner@wall.example", "owner", f"{mark}0 owner")
    staff = making.person(f"{mark}0staff@wall.example", "billing", f"{mark}0 staff")
    helper = making.person(f"{mark}0helper@wall.example", "support", f"{mark}0 helper")
    reader = making.person(f"{mark}0reader@wall.example", "read_only", f"{mark}0 reader")
    demand_second_factors()
    for one in (owner, staff, helper, reader):
        belongings(one, f"{mark}0")
    ChainCheck.objects.create(at=NOW, seq=0, problem=f"{mark}0 problem")
    PurgedLink.objects.create(seq=-1, prev_hash=bytes(32), hash=bytes(32), record_id=owner.pk)
    rate = making.tax_rate(name=f"{mark}0 tax")
    price = making.price(f"{mark}0 hosting")
    InvoiceRun.objects.create(started_at=NOW, finished_at=NOW, run_for=NOW.date(), error=f"{mark}0 error")
    found = {number: _customer(f"{mark}{number}", price) for number in ("1", "2")}
    host = claiming.hosts_of(current_tenant())[0]
    proof = claiming.claim(f"{mark.lower()}0.wall.example", actor=ACTOR, now=NOW)
    colleague = _colleague(f"{mark}0") | {"copy_id": whole_copy(owner, current_tenant().pk, f"{mark}0")}
    for each in found.values():
        each.ids |= {"host_id": host.pk, "proof_id": proof.pk} | colleague
        each.ids |= {"rate_id": rate.pk, "price_id": price.pk, "product_id": price.product_id}
    workers = {"owner": owner, "staff": staff, "helper": helper, "reader": reader}
    for each in found.values():
        _closed_once(str(each.ids["customer_id"]))
    return found | {who: Furniture(user_id=one.pk) for who, one in workers.items()}


def _closed_once(customer_id: str) -> None:
    """A closing that was undone, and the note of an erasure."""
    about, now = {"subject_kind": "customer", "subject_id": customer_id}, clock.now()
    Closing.objects.create(**about, closed_at=now, final_at=now + timedelta(days=30), undone_at=now)
    Erasure.objects.create(**about, because=Erasure.Because.ASKED, asked_at=NOW, done_at=NOW)


def _colleague(mark: str) -> dict[str, UUID]:
    """Somebody who works here whom others change, and one who is invited."""
    person = making.person(f"{mark}colleague@wall.example", "support", f"{mark} colleague")
    invited = invite(
        Invitee(f"{mark}asked@wall.example", "support", f"{mark} asked"), actor=ACTOR, now=clock.now()
    )
    return {"person_id": person.pk, "user_id": person.pk, "colleague_id": invited.pk}


def _connect(mark: str) -> None:
    connection = standin.connect(NOW)
    standin.control("fault", kind="drop_events", account=connection.account_id)
    StripeEvent.objects.create(
        external_id=f"evt_{mark}0", type="charge.refunded", object_id=f"ch_{mark}0",
        created_at=NOW, received_at=NOW, handled_at=NOW, outcome=f"{mark}0 outcome",
    )  # fmt: skip
    BillingSettings.objects.update(business_name=f"{mark}0 business")


def _customer(mark: str, price: Any) -> Furniture:
    account = making.account(f"{mark}@wall.example", name=mark, business_name=f"{mark} business")
    customer = account.customer
    subscription = making.subscription(customer, price, NOW.date() + timedelta(days=40))
    card = making.card(customer)
    making.autopay(customer)
    lines = ((f"{mark} line", 1400),)
    with transaction.atomic():  # an invoice and its lines come together
        paid = making.invoice(customer, due=NOW.date(), lines=lines, number=f"{mark}-1", note=f"{mark} note")
    payment = making.pay(paid, card=card)
    _afterwards(payment, mark)
    with transaction.atomic():
        line = {"description": f"{mark} moving house", "amount": 9900}
        due = NOW.date() + timedelta(days=14)
        drafts = [drafting.draft(customer, lines=[line], due_on=due, actor=ACTOR, now=NOW) for _ in range(2)]
        issuing.issue(drafts[0], actor=ACTOR, now=NOW)
    who = Invitee(email=f"{mark}new@wall.example", role="contact", name=f"{mark} new", customer=customer)
    invitation = invite(who, actor=ACTOR, now=clock.now())
    ids: dict[str, Any] = {
        "customer_id": customer.pk, "subscription_id": subscription.pk, "card_id": card.pk,
        "invoice_id": drafts[0].pk, "draft_id": drafts[1].pk, "payment_id": payment.pk,
        "invitation_id": invitation.pk, "contact_id": customer.contacts.get().pk,
    }  # fmt: skip
    ids |= belongings(account.user, mark) | rights(account.user, customer, mark)
    return Furniture(ids, account.user.pk)


def _afterwards(payment: Payment, mark: str) -> None:
    Refund.objects.create(
        payment=payment, external_id=f"re_{mark}", amount=1, currency="EUR", created_at=NOW
    )  # fmt: skip
    Dispute.objects.create(
        payment=payment, external_id=f"dp_{mark}", status="lost", reason=f"{mark} reason", amount=1,
        currency="EUR", opened_at=NOW,
    )  # fmt: skip
