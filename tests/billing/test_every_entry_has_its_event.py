"""G29: no money moves without its event. The database demands it, and whoever forgets it books nothing."""

from dataclasses import MISSING
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from billing import issuing, voiding, writing
from billing.ledger import Entry
from billing.models import JournalEntry, Posting
from billing.running import run_invoices
from tests.billing.invoicing import making
from tests.billing.manage import rows


def test_the_column_takes_no_null_and_names_an_event(tenant: Any) -> None:
    field = JournalEntry._meta.get_field("audit_event")
    assert not field.null
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.attnotnull, k.confrelid::regclass::text FROM pg_constraint k"
            " JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]"
            " WHERE k.conrelid = 'billing_journalentry'::regclass AND k.contype = 'f'"
            " AND a.attname = 'audit_event_id'"
        )
        assert cursor.fetchall() == [(True, "audit_auditevent")]


@pytest.mark.parametrize("event", ["NULL", "gen_random_uuid()"])
def test_an_entry_without_its_event_cannot_be_written(tenant: Any, event: str) -> None:
    refused = pytest.raises(DatabaseError, match=r"null value|foreign key")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE;"
            "INSERT INTO billing_journalentry (id, key, audit_event_id, booked_at, booked_on)"
            f" VALUES (gen_random_uuid(), 'k', {event}, now(), now())"
        )


def issue(actor: Any, now: datetime) -> None:
    rows.issued(making.customer(), actor=actor, now=now)


def void(actor: Any, now: datetime) -> None:
    voiding.void(rows.issued(making.customer(), actor=actor, now=now), reason="wrong", actor=actor, now=now)


def run(actor: Any, now: datetime) -> None:
    making.subscription(due=now.date())
    run_invoices(actor=actor, now=now)


@pytest.mark.parametrize(
    ("move", "module", "name"),
    [(issue, issuing, "record"), (void, voiding, "record"), (run, writing, "record_many")],
)
def test_a_rule_that_forgets_its_event_books_nothing(
    tenant: Any, actor: Any, now: datetime, monkeypatch: pytest.MonkeyPatch, move: Any, module: Any, name: str
) -> None:
    """The mutation: the call that records is gone, and an id of nothing stands in for its answer."""
    move(actor, now)
    connection.check_constraints()
    assert Posting.objects.exists()

    def forgotten(*args: Any, **more: Any) -> Any:
        return uuid4() if name == "record" else [uuid4() for _ in args[0]]

    monkeypatch.setattr(module, name, forgotten)
    with pytest.raises(DatabaseError, match=r"audit_event_id.*audit_auditevent"):
        committed(move, actor, now)


def committed(move: Any, actor: Any, now: datetime) -> None:
    with transaction.atomic():
        move(actor, now)
        connection.check_constraints()


def test_no_entry_can_be_made_without_naming_one() -> None:
    assert Entry.__dataclass_fields__["audit_event"].default is MISSING
