"""How long it is kept: R1, R2 and R3."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Customer, User
from accounts.privacy_scope import of_customer as of
from audit.actions import Action
from audit.models import AuditEvent
from audit.recording import record
from billing.models import Invoice, JournalEntry, Payment
from privacy import closing, erasing, retention
from privacy.inventory import Retention
from privacy.models import Erasure
from privacy.periods import PERIODS
from tests.billing.portal import making
from tests.privacy.ending.conftest import backdate
from tests.privacy.ending.test_closing import _with_books, years_ago
from tests.privacy.ending.test_retention import anchor

__all__ = ["backdate"]
DAY = timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    """The real time: the database compares closings with its own."""
    return datetime.now(UTC) + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: None)


def _end_of(actor: Any, now: datetime) -> None:
    """A run of retention, and the erasures that it has begun."""
    retention.run(now=now, dry_run=False, actor=actor)
    for pk in erasing.pending():
        erasing.carry_out(pk, actor=actor, now=now)


def test_r1_what_an_open_account_holds_stays_and_goes_30_days_after_its_closing(
    tenant: Any, actor: Any, now: datetime
) -> None:
    account = making.account("nora@x.example")
    _end_of(actor, now + 20 * 366 * DAY)
    assert Customer.objects.get().email == User.objects.get().email == "nora@x.example"
    closing.close(of(account.customer), actor=actor, now=now)
    _end_of(actor, now + 29 * DAY)
    assert Customer.objects.get().email == "nora@x.example"
    _end_of(actor, now + 30 * DAY)
    assert Customer.objects.get().email.endswith("@erased.invalid")
    assert User.objects.get().email.endswith("@erased.invalid")


def test_r2_books_of_a_closed_account_stay_seven_years_and_are_gone_then(
    fresh_tenant: Any, actor: Any, now: datetime, backdate: Any
) -> None:
    customer, schema = _with_books("r2", now, actor), fresh_tenant.schema_name
    erasure = erasing.begin(of(customer), because=Erasure.Because.ASKED, actor=actor, now=now)
    erasing.carry_out(erasure.pk, actor=actor, now=now)
    assert PERIODS[Retention.BILLING].years == 7
    for closed, left in ((years_ago(now) + DAY, 1), (years_ago(now) - timedelta(seconds=5), 0)):
        backdate(of(customer), closed, schema)
        retention.run(now=now, dry_run=False, actor=actor)
        for model in (Invoice, Payment, Customer):
            assert model._default_manager.count() == left
        assert JournalEntry.objects.count() == 2 * left


@pytest.mark.parametrize(
    ("action", "days", "left"),
    [
        (Action.CUSTOMER_CHANGED, 729, 1), (Action.CUSTOMER_CHANGED, 733, 0),
        (Action.TENANT_DROPPED, 9999, 1), (Action.AUDIT_PURGED, 9999, 1),
    ],
)  # fmt: skip
def test_r3_the_audit_log_stays_for_two_years_at_the_least(
    tenant: Any, actor: Any, now: datetime, action: Action, days: int, left: int
) -> None:
    """Over eight years, and seven for money: tests/privacy/ending/test_retention.py."""
    assert PERIODS[Retention.RECORD].years == 2
    then = now - days * DAY
    event = record(action, subject=("customer", "9"), actor=actor, now=then)
    anchor(then)
    making.account()
    events = AuditEvent.objects.count()
    retention.run(now=now, dry_run=False, actor=actor)
    assert AuditEvent.objects.filter(pk=event).count() == left
    assert AuditEvent.objects.count() >= events, "nothing else went, and what was done is on record too"
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")
