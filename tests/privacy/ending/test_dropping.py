"""Closed workspaces with many people, and what is dropped whole: old workspaces and rehearsals."""

import io
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from accounts.models import User
from accounts.privacy_scope import of_customer as of
from audit.models import AuditEvent
from billing import purging
from billing.models import Invoice
from privacy import closing, confirming, ending, erasing, files_gateway, receiving, retention, underage
from privacy.classifying import Right
from privacy.deadlines import Law
from privacy.finding import Found, find_everywhere, place_name
from privacy.holding import in_force
from privacy.models import DataRequest, Erasure, ExportFile, UnderageReport
from privacy.receiving import Written
from privacy.subjects import Subject
from tenants.clock import wall
from tenants.context import enter, enter_public
from tenants.ids import new_id
from tenants.models import Host, Job, Tenant
from tests.billing.portal import making
from tests.privacy.ending.test_closing import DAY, MINUTE, _with_books, hold, years_ago
from tests.twins import make
from vault.files import new_key


@pytest.fixture(autouse=True)
def _no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: None)


def _end_jobs(schema: str) -> list[Any]:
    with enter_public():
        rows = Job.objects.filter(name="privacy.end_tenant", schema_name=schema).order_by("id")
        return list(rows.values("args", "run_at"))


def test_a_closed_workspace_goes_on_by_itself_until_nobody_is_left(
    fresh_tenant: Any, actor: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a day's rounds are not waited for: each job asks for the next one, while it gets on."""
    monkeypatch.setattr(ending, "AT_ONCE", 2)
    subject, schema = Subject("tenant", str(fresh_tenant.pk)), fresh_tenant.schema_name
    for number in range(3):
        making.account(f"c{number}@x.example")
    making.person("olga@x.example", "owner")
    held = making.customer(email="held@x.example")
    standing = hold(of(held), now)
    closing.close(subject, actor=actor, now=now)
    later = now + 30 * DAY
    assert not ending.end_tenant(actor=actor, now=later)
    rounds = 1
    while len(_end_jobs(schema)) == rounds:  # the last one has asked for another
        asked = _end_jobs(schema)[-1]
        assert asked["run_at"] == later + timedelta(minutes=2)
        later = asked["run_at"]
        for pk in erasing.pending()[:2]:
            erasing.carry_out(pk, actor=actor, now=later)
        assert not ending.end_tenant(actor=actor, now=later, before=int(asked["args"]["before"]))
        rounds += 1
    assert 4 <= rounds <= 8 and later - now < 31 * DAY, "never more than a day late"
    assert set(User.objects.values_list("name", flat=True)) == {"Erased"}
    held.refresh_from_db()
    assert held.name == "Nora Lind"
    assert closing.closing_of(subject).done_at is None  # type: ignore[union-attr]
    standing.lifted_at = later
    standing.save()
    ending.end_tenant(actor=actor, now=later)
    for pk in erasing.pending():
        erasing.carry_out(pk, actor=actor, now=later)
    assert ending.end_tenant(actor=actor, now=later)


def test_books_that_cannot_go_stop_no_others(
    fresh_tenant: Any, actor: Any, now: datetime, backdate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = fresh_tenant.schema_name
    several = [_with_books(f"n{number}", now, actor) for number in range(3)]
    for number, each in enumerate(several):
        erasure = erasing.begin(of(each), because=Erasure.Because.ASKED, actor=actor, now=now)
        assert erasing.carry_out(erasure.pk, actor=actor, now=now)
        backdate(of(each), years_ago(now) - (9 - number) * MINUTE, schema)
    purge = purging._purge

    def broken(customer: Subject) -> Any:
        if customer == of(several[1]):
            raise DatabaseError("it cannot go")
        return purge(customer)

    monkeypatch.setattr(purging, "_purge", broken)
    hold(of(several[0]), now)
    with pytest.raises(retention.SomeFailed, match="billing"):
        retention.run(now=now, dry_run=False, actor=actor)
    assert set(Invoice.objects.values_list("customer", flat=True)) == {several[0].pk, several[1].pk}
    event = AuditEvent.objects.filter(action="retention.run").latest("seq")
    assert event.details["gone"]["accounts_customer"] == 1, "what went is on record all the same"
    with enter_public():
        whole = hold(Subject("tenant", str(fresh_tenant.pk)), now)
    assert purging.closed_accounts(now=now, dry_run=False, actor=actor) == []
    with enter_public():
        whole.lifted_at = now
        whole.save()


@pytest.fixture
def trial(committed: None) -> Any:
    """A rehearsal with somebody in it and a copy of data."""
    tenant = make(f"r{new_id().hex[-12:]}", name="Trial", is_rehearsal=True)
    with enter(tenant):
        making.account("real@person.example")
    return tenant


def _exists(tenant: Any, admin_rows: Callable[[str], list[Any]]) -> tuple[int, ...]:
    """How much of it there is: schema, role, tenant, hosts, jobs."""
    name = tenant.schema_name
    with enter_public():
        return (
            len(admin_rows(f"SELECT 1 FROM pg_namespace WHERE nspname = '{name}'")),
            len(admin_rows(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'")),
            Tenant.objects.filter(pk=tenant.pk).count(),
            Host.objects.filter(schema_name=name).count(),
            int(Job.objects.filter(schema_name=name).exists()),
        )


def test_a_rehearsals_people_are_found_and_it_is_thrown_away_by_command(
    trial: Any, now: datetime, admin_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {each.subject.kind for each in find_everywhere("real@person.example")
             if each.schema_name == trial.schema_name}  # fmt: skip
    assert found == {"customer", "user"}
    deleted = _Bucket()
    monkeypatch.setattr(files_gateway, "bucket", lambda: deleted)
    with enter(trial):
        ExportFile.objects.create(
            subject_kind="tenant", subject_id="x", asked_by="x", asked_at=now, key=new_key()
        )
        standing = hold(Subject("user", "x"), now)
    assert trial.schema_name in {each.schema_name for each in in_force()}
    with pytest.raises(CommandError, match="not a rehearsal"):
        call_command("drop_rehearsal", "alpha", "--yes")
    with pytest.raises(CommandError, match="legal hold"):
        call_command("drop_rehearsal", trial.slug, "--yes")
    with enter(trial):
        standing.lifted_at = now
        standing.save()
    monkeypatch.setattr(sys, "stdin", io.StringIO("other\n"))
    with pytest.raises(CommandError, match="not its slug"):
        call_command("drop_rehearsal", trial.slug)
    assert _exists(trial, admin_rows)[:4] == (1, 1, 1, 1)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{trial.slug}\n"))
    call_command("drop_rehearsal", trial.slug, stdout=io.StringIO())
    assert _exists(trial, admin_rows) == (0, 0, 0, 0, 0)
    assert len(deleted.names) == 1 and trial.schema_name in deleted.names[0]
    with enter_public():
        event = AuditEvent.objects.get(action="tenant.dropped", subject_id=str(trial.pk))
        assert event.details["because"] == "a rehearsal, thrown away"


def test_what_named_people_of_a_dropped_rehearsal_is_settled_with_it(
    trial: Any, actor: Any, now: datetime
) -> None:
    schema = trial.schema_name
    address = f"{schema}@person.example"
    with enter(trial):
        subject = of(making.customer(email=address))
    written = Written("letter", now.date(), Law.GDPR, Right.DELETE, address, "Erase me.")
    request = receiving.write_down(written, actor=actor, now=now)
    open_ = underage.freeze(Found(schema, subject), underage.Report("13"), actor=actor, now=now)
    with enter_public():
        decided, free = (
            UnderageReport.objects.create(
                schema_name=schema, subject_kind="user", subject_id=decision, ground="13", reported_by="x",
                reported_at=now, decision=decision, decided_at=now - DAY, decided_by="x",
            )
            for decision in ("erase", "free")
        )  # fmt: skip
        assert request.subjects.count() == 1
        ending.drop(trial, because="a test", actor=actor, now=now)
        try:
            assert not request.subjects.exists()
            assert confirming.make_link(request.pk, actor=actor, now=now) is None, "and it does not fail"
            rows = {
                row.pk: (row.decision, row.decided_at, row.erased_at)
                for row in UnderageReport.objects.filter(schema_name=schema)
            }
            assert rows == {
                open_.pk: ("erase", now, now),
                decided.pk: ("erase", now - DAY, now),
                free.pk: ("free", now - DAY, None),
            }
            assert place_name(schema) == f"{schema} (gone)"
        finally:
            UnderageReport.objects.filter(schema_name=schema).delete()
            DataRequest.objects.filter(pk=request.pk).delete()


class _Bucket:
    def __init__(self) -> None:
        self.names: list[str] = []

    def delete(self, name: str) -> None:
        self.names.append(name)


def test_a_rehearsal_goes_by_itself_after_30_days_of_real_time(
    trial: Any, actor: Any, admin_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    only = Tenant.objects.filter(pk=trial.pk)
    made = wall()
    monkeypatch.setattr(Tenant.objects, "filter", lambda **asked: only.filter(**asked))
    with enter_public():
        for later, left in ((30 * DAY - MINUTE, 1), (30 * DAY + MINUTE, 0)):
            (would,) = ending.rehearsals(now=made + later, dry_run=True, actor=actor)
            (went,) = ending.rehearsals(now=made + later, dry_run=False, actor=actor)
            assert would.count == went.count == 1 - left
    monkeypatch.undo()
    assert _exists(trial, admin_rows) == (0, 0, 0, 0, 0)


def test_one_that_is_held_or_cannot_be_dropped_stops_no_other(
    two_tenants: Any, actor: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def drop(tenant: Tenant, **_: Any) -> None:
        tried.append(tenant.slug)
        if len(tried) == 1:
            raise DatabaseError("it cannot go")

    monkeypatch.setattr(ending, "drop", drop)
    with enter_public():
        both = Tenant.objects.filter(pk__in=[each.pk for each in two_tenants])
        asked: dict[str, Any] = {"because": "x", "dry_run": False, "actor": actor, "now": now}
        assert ending._drop_all(both, **asked) == retention.Swept("tenants_tenant", 1, failed=1)
        assert sorted(tried) == ["alpha", "beta"]
        with enter(two_tenants[0]):
            hold(Subject("user", "x"), now)
        assert ending._drop_all(both, **asked).count == 1
        assert tried[2:] == ["beta"]


def test_a_live_workspace_cannot_be_made_a_rehearsal_and_dropped(
    tenant: Any, actor: Any, now: datetime
) -> None:
    with (
        enter_public(),
        pytest.raises(DatabaseError, match="never becomes a rehearsal"),
        transaction.atomic(),
    ):
        Tenant.objects.filter(pk=tenant.pk).update(is_rehearsal=True)
    with pytest.raises(DatabaseError, match="no closed tenant"):
        ending.drop(tenant, because="a test", actor=actor, now=now)
