"""No rule leaves a name, an address or where somebody came from in plain in the record: they are walked."""

from datetime import timedelta
from typing import Any

import pytest

from accounts import contacts, email_changing, inviting, naming, recovering
from accounts.customers import change_customer, create_customer
from accounts.email_changing import Wish
from accounts.grants import Grant
from accounts.inviting import Invitee
from accounts.people import add_contact, create_user
from audit.actions import Action
from audit.actors import Actor
from audit.models import AuditEvent
from audit.persons import SOMEBODY
from audit.reading import opened
from audit.recording import ToldInPlain, record, record_many
from audit.verifying import verify
from billing.card_keeping import removal_note
from billing.importing.customers import import_customers
from billing.models import PaymentMethod
from tests.billing.importing import files
from tests.conftest import NOW

MARK = "Zanzibar"  # in every name, address and device below
IP = "203.0.113.77"
ADA = Actor("user", "0197", f"Ada {MARK} <ada@{MARK.lower()}.example>", IP, f"{MARK}Browser/1")


def leaks() -> list[tuple[str, str]]:
    """Which action says what in plain; bytes are looked through as bytes."""
    found = []
    for row in AuditEvent.objects.values():
        for value in row.values():
            plain = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
            found += [(row["action"], each) for each in (MARK.lower(), IP, "4242") if each in plain.lower()]
    return found


def furnished() -> None:
    """What people do with customers, colleagues, contacts, invitations, addresses and cards."""
    host = f"{MARK.lower()}.example"
    fields = {"name": f"Nora {MARK}", "email": f"nora@{host}", "country": "DE", "currency": "EUR"}
    lind = create_customer(actor=ADA, now=NOW, **fields)
    change_customer(lind, city=MARK, address_line1=f"{MARK} Street 1", actor=ADA, now=NOW)
    boss, other = (
        create_user(email=f"{who}@{host}", name=MARK, role="owner", password=None, actor=ADA, now=NOW)
        for who in ("boss", "other")
    )
    naming.rename(other, f"Other {MARK}", actor=ADA, now=NOW)
    people: dict[str, Any] = {"by": boss, "actor": ADA, "now": NOW}
    for wanted in (f"another@{host}", f"third@{host}"):
        change = email_changing.ask(Wish(other, wanted), actor=ADA, now=NOW)
    email_changing.complete(change, actor=ADA, now=NOW)
    email_changing.undo(change, actor=ADA, now=NOW)
    add_contact(other, lind, actor=ADA, now=NOW)
    second = add_contact(boss, lind, actor=ADA, now=NOW)
    contacts.change_contact(second.pk, lind, Grant.of(()), **people)
    contacts.remove_contact(second.pk, lind, **people)
    who = Invitee(f"new@{host}", "contact", MARK, customer=lind, grant=Grant.owner())
    for number in range(2):
        invitation = inviting.invite(who, **people)
        inviting.send_again(invitation, actor=ADA, now=NOW)
        if number:
            inviting.withdraw(invitation, actor=ADA, now=NOW)
    recovering.ask_reset(other, reason=f"{MARK} lost the phone", actor=ADA, now=NOW)
    import_customers(files.customers({"name": MARK, "city": MARK}), actor=ADA, now=NOW)
    import_customers(files.customers({"name": f"{MARK} again"}), actor=ADA, now=NOW + timedelta(days=1))
    card = PaymentMethod.objects.create(
        customer=lind, external_id="pm_1", saved_at=NOW, brand=MARK, last4="4242", is_default=True
    )
    record_many([removal_note(card, was_default=True)], actor=ADA, now=NOW)


def test_whatever_people_do_leaves_nothing_personal_in_plain(tenant: Any) -> None:
    furnished()
    assert leaks() == []
    done = AuditEvent.objects.filter(actor_id="0197")
    told = str([(each.label, each.ip, each.user_agent, each.details) for each in opened(done)])
    assert told.count(MARK) > 20 and IP in told
    assert verify().problem is None


@pytest.mark.parametrize("kind", sorted(SOMEBODY))
@pytest.mark.parametrize(
    "details",
    [{"email": "a@b.example"}, {"of": [{"phone": "1"}]}, {"before": {"role": "owner", "name": "Nora"}}],
)
def test_no_rule_can_leave_a_name_in_plain(tenant: Any, kind: str, details: dict[str, Any]) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(ToldInPlain, match=r"(email|phone|name) of a \w+ belong into `personal`"):
        record(Action.CUSTOMER_CHANGED, subject=(kind, "1"), actor=ADA, now=NOW, **details)
    assert AuditEvent.objects.count() == before
    record(Action.CUSTOMER_CHANGED, subject=(kind, "1"), actor=ADA, now=NOW, personal=details)
