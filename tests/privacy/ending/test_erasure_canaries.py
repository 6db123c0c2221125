"""A word of its own in every text that is held about a customer and its log-in: after the erasure it stands
nowhere in the whole estate but where the plan says that it stays. Mailboxes outside are not ours: what was
sent is sent.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.contrib.sessions.models import Session as SessionData
from django.db import models

from accounts.models import Customer, Session, User
from audit import verifying
from billing.models import Dispute
from operations.models import RequestLog
from privacy import erasing, exporting, inventory, planning
from privacy.consenting import CONTEXT
from privacy.models import (
    Consent,
    ConsentText,
    DataRequest,
    Erasure,
    ExportFile,
    ReceivedMail,
    Reply,
    RequestSubject,
)
from privacy.subjects import Subject
from tenants.context import current_schema, enter_public
from tenants.models import Job
from tenants.working import work_off
from tests.billing.payments import standin
from tests.privacy.ending import estate
from tests.wall.furnishing import furnish
from vault import subject_keys
from vault.errors import Erased

# What is looked up by its value and must stay what it is, for the things it opens to be found.
LINKS = {
    ("accounts.Session", "key_hash"), ("billing.PaymentProfile", "stripe_customer"),
    ("billing.Invoice", "number"), ("billing.Dispute", "status"),
    ("privacy.PolicyNotice", "given_up_because"),
}  # fmt: skip


def put_everywhere(word: str, subjects: list[Subject]) -> set[tuple[str, str]]:
    """Write the word into every text field about these people, as a superuser past every guard."""
    written: set[tuple[str, str]] = set()
    with psycopg.connect(estate.admin_url()) as admin:
        admin.execute("SET session_replication_role = replica")
        schema = current_schema()
        for table in (
            "audit_auditevent",
            "audit_purgedlink",
        ):  # the furniture has a row of each, outside the chain
            admin.execute(f"DELETE FROM {schema}.{table} WHERE seq < 0")
        for holding in inventory.holdings():
            rows = planning.rows_of(holding, subjects)
            meta = holding.model._meta
            names = [name for name in holding.personal if _takes_text(holding, name, word)]
            if rows is None or holding.label == "audit.AuditEvent":
                continue
            for number, pk in enumerate(rows.values_list("pk", flat=True)):
                for name in names:
                    value = _value(meta.get_field(name), f"{word}{number}")
                    column = _column(holding.label, name)
                    where = f'"{meta.pk.column}" = %s'
                    table = f'"{schema}"."{meta.db_table}"'
                    admin.execute(f'UPDATE {table} SET "{column}" = %s WHERE {where}', [value, pk])
                    written.add((meta.db_table, column))
    return written


def _takes_text(holding: Any, name: str, word: str) -> bool:
    field = holding.model._meta.get_field(name)
    if (holding.label, name) in LINKS or field.choices or field.remote_field:
        return False
    if isinstance(field, models.JSONField):
        return name in {"buyer"}
    roomy = field.max_length is None or field.max_length > len(word) + 16
    return isinstance(field, models.CharField | models.TextField) and roomy and name != "state"


def _value(field: Any, text: str) -> str:
    if isinstance(field, models.JSONField):
        return f'{{"name": "{text}"}}'
    return f"{text}@x.example" if isinstance(field, models.EmailField) else text


def leave_traces(word: str, user: User, customer: Customer, now: datetime) -> Job:
    """What is not a row about them: a session's contents, jobs, an error, an invitation, a sealed choice."""
    session = Session.objects.filter(user=user).first()
    assert session is not None
    SessionData.objects.create(session_key=session.key_hash, session_data=f"{word} data", expire_date=now)
    text = ConsentText.objects.create(hash=uuid4().hex * 2, purpose="marketing", text="News?", since=now)
    blob = subject_keys.seal("user", str(user.pk), f'{{"address": "{word}@x.example"}}', context=CONTEXT)
    Consent.objects.create(
        subject_kind="user", subject_id=str(user.pk), purpose="marketing", given=True, text=text, how="form",
        at=now, address_mark="0" * 64, sealed=blob,
    )  # fmt: skip
    schema = current_schema()
    with enter_public():
        shared = {"schema_name": schema, "name": "accounts.mail_reset"}
        queued = Job.objects.create(**shared, args={"user_id": str(user.pk)}, run_at=now)
        Job.objects.create(
            **shared, args={"other": "1"}, state="parked", last_error=f"refused: <{word}0@x.example>"
        )
    return queued


def stand_in_registers(word: str, user: User, now: datetime) -> set[tuple[str, str]]:
    """What the platform keeps and nobody finds by a log-in: its log, requests, their answers, reports."""
    schema, address = current_schema(), f"{word}@x.example"
    with enter_public():
        RequestLog.objects.create(
            id=uuid4(), at=now, schema_name=schema, host="x.localhost", method="GET", path="/", status=200,
            duration_ms=1, ip="192.0.2.1", user_agent=f"{word} browser", user_id=user.pk, operator_id="",
            event="", account_mark="",
        )  # fmt: skip
        request = DataRequest.objects.create(
            received_at=now, channel="letter", law="gdpr", right="delete", address=address, verdict="",
            message="Erase me", due_on=now.date(), state="answered", closed_at=now,
        )  # fmt: skip
        RequestSubject.objects.create(
            request=request, schema_name=schema, subject_kind="user", subject_id=str(user.pk)
        )
        Reply.objects.create(
            request=request, text="Done", is_final=True, written_id="1", written_by="Robin",
            written_at=now, sent_to=address, sent_at=now,
        )  # fmt: skip
        ReceivedMail.objects.create(
            uid_validity=1, uid=1, mark=uuid4().hex, received_at=now, sender=address, outcome="request",
            request=request,
        )  # fmt: skip
    return {
        ("operations_requestlog", "user_agent"), ("privacy_datarequest", "address"),
        ("privacy_reply", "sent_to"), ("privacy_receivedmail", "sender"),
    }  # fmt: skip


def have_copies(customer: Customer, now: datetime) -> tuple[list[ExportFile], ExportFile]:
    """Copies in the bucket, of the customer and of the whole workspace, and one of it that is asked for."""
    subjects = [Subject("customer", str(customer.pk)), exporting.workspace()]
    for each in subjects:
        exporting.ask(each, asked_by="1", actor=standin.SYSTEM, now=now)
    made = list(ExportFile.objects.filter(state="waiting"))
    for export in made:
        exporting.make(export.pk, actor=standin.SYSTEM, now=now)
    return made, exporting.ask(subjects[1], asked_by="1", actor=standin.SYSTEM, now=now)


def test_nothing_is_left_but_what_the_plan_says(
    fresh_tenant: Any,
    now: datetime,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    record_property: Callable[[str, object], None],
) -> None:
    """G44 and G36: the whole estate; and of a backup of before, what was sealed for the person.

    What lies open in such a backup is erased anew before it is used (`manage.py replay_erasures`).
    """
    caplog.set_level(logging.INFO)  # what the product runs at
    word = f"zq{uuid4().hex[:8]}"
    one = furnish(f"W{word[2:6]}")["1"]
    customer, user = Customer.objects.get(pk=one.ids["customer_id"]), User.objects.get(pk=str(one.user_id))
    standin.with_card(customer, now)
    subject = Subject("customer", str(customer.pk))
    subjects = planning.with_included(subject)
    assert [each.kind for each in subjects] == ["customer", "user"]
    written = put_everywhere(word, subjects)
    assert len(written) > 40
    made, asked = have_copies(customer, now)
    queued = leave_traces(word, user, customer, now)
    in_registers = stand_in_registers(word, user, now)
    numbers = [str(each.pk) for each in made]
    assert all(estate.in_buckets(number) for number in numbers)
    assert all(estate.in_valkey(f"export:{number}") for number in numbers), "how far they are, in the cache"
    _settle_disputes()
    plan = planning.plan(subject, now=now)
    schema = fresh_tenant.schema_name
    before, backup = estate.in_database(word, schema), estate.dump(schema, tmp_path)
    assert written | in_registers <= _whole_tables(before)

    caplog.clear()
    begun = time.monotonic()
    erasure = erasing.begin(subject, because=Erasure.Because.ASKED, actor=standin.SYSTEM, now=now)
    standin.work(now)
    standin.work(now + timedelta(seconds=30))
    took = time.monotonic() - begun
    erasure.refresh_from_db()
    assert erasure.done_at is not None, [j.last_error for j in Job.objects.filter(name="privacy.erase")]

    kept = {(_table(label), _column(label, name)) for label, name in plan.kept_fields}
    left = _whole_tables(estate.in_database(word, schema))
    record_property("canaries", f"{len(left - kept)} left of {len(written)}, the job took {took:.1f} s")
    assert took < 3600
    assert left <= kept, "these columns still hold what was to go"
    assert in_registers <= left, "of these the plan, the page and the mail say that they stay"
    assert ("billing_invoice", "buyer") in left, "the law wants the invoice as it was"
    assert estate.in_valkey(word) == []
    assert estate.in_buckets(word) == []
    assert [each for number in numbers for each in estate.in_buckets(number)] == []
    assert estate.in_valkey(f"export:{made[0].pk}") == []
    workspace = ExportFile.objects.filter(pk__in=[made[1].pk, asked.pk])
    assert {(each.state, each.key) for each in workspace} == {("expired", None)}, "no key opens them"
    exporting.make(asked.pk, actor=standin.SYSTEM, now=now)
    assert estate.in_buckets(str(asked.pk)) == [], "what was asked for before is not made any more"
    assert work_off([queued.pk], now=now) == 0, "a number that lies in the broker still leads to nothing"
    assert word not in caplog.text
    _what_was_sealed_cannot_be_read_from_an_old_backup(backup, word, user)
    assert verifying.verify().problem is None
    text = str([erasure.plan, erasure.report])
    assert word not in text and "Invoice" in text


def _settle_disputes() -> None:
    Dispute.objects.update(status="lost")


def _what_was_sealed_cannot_be_read_from_an_old_backup(backup: str, word: str, user: User) -> None:
    sealed = bytes(Consent.objects.filter(subject_id=str(user.pk)).latest("pk").sealed)
    assert sealed.hex() in backup, "the backup has it"
    with pytest.raises(Erased):
        subject_keys.open_sealed("user", str(user.pk), sealed, context=CONTEXT)
    keys = backup.partition("COPY")[2]
    assert "vault_subjectkey" not in keys, "and no key of a person"


def _table(label: str) -> str:
    return inventory.holding_of(label).model._meta.db_table


def _whole_tables(columns: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Name the table instead of its partition of a day."""
    return {(table.partition("_d2")[0].removesuffix("_default"), column) for table, column in columns}


def _column(label: str, name: str) -> str:
    field: Any = inventory.holding_of(label).model._meta.get_field(name)
    return str(field.column)
