"""Every rule of retention over eight years of a virtual clock: never early, late, or under a hold."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from accounts import purging as accounts_purging
from accounts.models import (
    EmailChange,
    FactorReset,
    Invitation,
    KnownDevice,
    PasskeyChallenge,
    Session,
    User,
    Visit,
)
from audit import verifying
from audit.actions import Action
from audit.models import Anchor, AuditEvent, ChainHead, Checkpoint, PurgedLink
from audit.recording import record
from billing import purging as billing_purging
from billing.models import StripeEvent
from privacy import ending, retention, sweeping
from privacy.inventory import Retention
from privacy.models import (
    Closing,
    ContactMessage,
    DataRequest,
    Erasure,
    ExportFile,
    Hold,
    PolicyNotice,
    ReceivedMail,
    Restriction,
    UnderageReport,
)
from privacy.periods import PERIODS, years_after, years_before
from privacy.retention import Swept
from tenants import testimony
from tenants.context import current_schema, enter, enter_public
from tenants.ids import first_id_at, new_id
from tenants.models import Job, Throttle
from tests.billing.portal import making
from tests.privacy.ending import test_closing as ends
from tests.privacy.ending import test_dropping
from tests.privacy.ending import test_erasing_at_the_desk as desk
from vault.files import new_key

YEARS = 8
CHECKPOINT = timedelta(minutes=10)  # the first checkpoint that has seen an event
HALF_DAY = timedelta(hours=12)
DAY = timedelta(days=1)
TODAY = datetime(2026, 11, 25, tzinfo=UTC)
LEAP_DAYS = (datetime(2020, 2, 29, 12, tzinfo=UTC), datetime(2024, 2, 29, 23, 59, tzinfo=UTC))


@dataclass(frozen=True)
class Rule:
    """How a row comes into being that this rule is about, and who makes it go."""

    retention: Retention
    run: Callable[..., Any]
    make: Callable[[datetime, Any], Any]
    model: Any
    platform: bool = False
    at_once: bool = False  # the period is the longest: it goes as soon as it is of no use
    by_database: bool = False  # the database looks at its own clock too


def _session(at: datetime, user: Any) -> Any:
    return Session.objects.create(
        user=user, key_hash=new_id().hex, host="x", begun_at=at, last_seen_at=at, device="Firefox"
    )


def _device(at: datetime, user: Any) -> Any:
    return KnownDevice.objects.create(user=user, mark=new_id().hex, last_seen_at=at)


def _change(at: datetime, user: Any) -> Any:
    return EmailChange.objects.create(
        user=user, old_email="a@x.example", new_email="b@x.example", asked_at=at - DAY, expires_at=at
    )


def _undoable(at: datetime, user: Any) -> Any:
    return EmailChange.objects.create(
        user=user, old_email="a@x.example", new_email="b@x.example", asked_at=at - 8 * DAY,
        expires_at=at - 7 * DAY, done_at=at - 7 * DAY, undo_until=at,
    )  # fmt: skip


def _invitation(at: datetime, user: Any) -> Any:
    return Invitation.objects.create(
        email="c@x.example", role="support", created_at=at - 7 * DAY, expires_at=at, invited_by=user
    )


def _challenge(at: datetime, user: Any) -> Any:
    return PasskeyChallenge.objects.create(value=b"x", expires_at=at)


def _visit(at: datetime, user: Any) -> Any:
    return Visit.objects.create(
        user=user, staff_id=new_id(), staff_label="Robin", reason="asked", created_at=at - DAY,
        begun_at=at - DAY, ends_at=at,
    )  # fmt: skip


def _reset(at: datetime, user: Any) -> Any:
    return FactorReset.objects.create(user=user, reason="lost", asked_at=at - 3 * DAY, due_at=at, done_at=at)


def _restriction(at: datetime, user: Any) -> Any:
    return Restriction.objects.create(
        subject_kind="user", subject_id=str(user.pk), reason="r", asked_at=at - DAY, lifted_at=at
    )


def _lifted(at: datetime, user: Any) -> Any:
    return Hold.objects.create(
        subject_kind="user", subject_id=str(user.pk), reason="r", placed_by="x", placed_at=at - DAY,
        review_on=at.date(), lifted_at=at,
    )  # fmt: skip


def _erasure(at: datetime, user: Any) -> Any:
    return Erasure.objects.create(
        subject_kind="user", subject_id=str(user.pk), because="asked", asked_at=at - DAY, done_at=at
    )


def _event(at: datetime, user: Any) -> Any:
    return StripeEvent.objects.create(
        external_id=new_id().hex, type="x", object_id="y", created_at=at - DAY, received_at=at - DAY,
        handled_at=at,
    )  # fmt: skip


def _job(at: datetime, user: Any) -> Any:
    number = UUID(int=first_id_at(at - DAY).int + random.getrandbits(60))
    return Job.objects.create(id=number, schema_name="t_alpha", name="tests.any", state="done", done_at=at)


def _attempt(at: datetime, user: Any) -> Any:
    return Throttle.objects.create(key=new_id().hex, hits=[1], expires_at=at)


def _logged(at: datetime, user: Any) -> Any:
    kind = ContentType.objects.get_for_model(User)
    return LogEntry.objects.create(
        user=user, action_time=at, content_type=kind, object_id="1", object_repr="x", action_flag=1
    )


def _prospect(at: datetime, user: Any) -> Any:
    return ContactMessage.objects.create(
        name="x", email="x@x.example", text="x", received_at=at - DAY, last_word_at=at
    )


def _notice(**dates: datetime) -> Any:
    return PolicyNotice(subject_kind="user", version_id=new_id(), **dates)


def _told(at: datetime, user: Any) -> Any:
    return _saved(_notice(next_at=at - DAY, sent_at=at), user)


def _given_up(at: datetime, user: Any) -> Any:
    notice = _notice(next_at=at - DAY, given_up_at=at)
    notice.given_up_because = "no such mailbox"
    return _saved(notice, user)


def _never_told(at: datetime, user: Any) -> Any:
    return _saved(_notice(next_at=at), user)


def _saved(row: Any, user: Any) -> Any:
    row.subject_id = str(user.pk)
    row.save(force_insert=True)
    return row


def _copy(at: datetime, user: Any) -> Any:
    return ExportFile.objects.create(
        subject_kind="user", subject_id=str(user.pk), asked_by="x", asked_at=at - DAY, key=new_key(),
        state="ready", ready_at=at, expires_at=at + 7 * DAY,
    )  # fmt: skip


def _unmade(at: datetime, user: Any) -> Any:
    return ExportFile.objects.create(
        subject_kind="user", subject_id=str(user.pk), asked_by="x", asked_at=at, state="failed"
    )


def _undone(at: datetime, user: Any) -> Any:
    """The database lets nobody write that an account was closed in the past."""
    now = datetime.now(UTC)
    return Closing.objects.create(
        subject_kind="customer", subject_id=new_id().hex, closed_at=now, final_at=now, undone_at=at
    )


def _request(at: datetime, user: Any) -> Any:
    return DataRequest.objects.create(
        received_at=at - DAY, channel="letter", address="x@x.example", verdict="x", message="x", law="gdpr",
        right="access", due_on=at.date(), state="dismissed", closed_at=at,
    )  # fmt: skip


def _received(at: datetime, user: Any) -> Any:
    return ReceivedMail.objects.create(
        uid_validity=1, uid=1, mark=new_id().hex, received_at=at, outcome="automatic"
    )


def _child(at: datetime, user: Any) -> Any:
    return UnderageReport.objects.create(
        schema_name="t_alpha", subject_kind="user", subject_id=new_id().hex, ground="x", reported_by="x",
        reported_at=at - DAY, decision="free", decided_by="x", decided_at=at, decided_because="x",
    )  # fmt: skip


A, B = accounts_purging, sweeping
RULES = {
    "sessions": Rule(Retention.SESSION, A.sessions, _session, Session),
    "devices": Rule(Retention.DEVICE, A.devices, _device, KnownDevice),
    "wishes": Rule(Retention.EMAIL_CHANGE, A.email_changes, _change, EmailChange),
    "undoable": Rule(Retention.EMAIL_CHANGE, A.email_changes, _undoable, EmailChange),
    "invitations": Rule(Retention.INVITATION, A.invitations, _invitation, Invitation),
    "challenges": Rule(Retention.CHALLENGE, A.challenges, _challenge, PasskeyChallenge),
    "visits": Rule(Retention.RECORD, A.staff_doings, _visit, Visit),
    "resets": Rule(Retention.RECORD, A.staff_doings, _reset, FactorReset),
    "restrictions": Rule(Retention.REQUEST, B.limits, _restriction, Restriction),
    "holds": Rule(Retention.REQUEST, B.limits, _lifted, Hold),
    "erasures": Rule(Retention.REQUEST, B.limits, _erasure, Erasure),
    "told": Rule(Retention.RECORD, B.policy_notices, _told, PolicyNotice, by_database=True),
    "given up": Rule(Retention.RECORD, B.policy_notices, _given_up, PolicyNotice, by_database=True),
    "never told": Rule(Retention.RECORD, B.policy_notices, _never_told, PolicyNotice, by_database=True),
    "copies": Rule(Retention.EXPORT_FILE, B.copies, _copy, ExportFile),
    "unmade copies": Rule(Retention.EXPORT_FILE, B.copies, _unmade, ExportFile),
    "closings": Rule(Retention.BILLING, B.undone_closings, _undone, Closing),
    "events": Rule(Retention.VENDOR_EVENT, billing_purging.handled_events, _event, StripeEvent),
    "jobs": Rule(Retention.JOB, B.jobs, _job, Job, platform=True),
    "attempts": Rule(Retention.THROTTLE, B.attempts, _attempt, Throttle, platform=True, at_once=True),
    "prospects": Rule(Retention.PROSPECT, B.prospects, _prospect, ContactMessage, platform=True),
    "requests": Rule(Retention.REQUEST, B.requests, _request, DataRequest, platform=True),
    "mailbox": Rule(Retention.REQUEST, B.requests, _received, ReceivedMail, platform=True),
    "children": Rule(Retention.REQUEST, B.requests, _child, UnderageReport, platform=True),
    "admin log": Rule(Retention.RECORD, B.staff_record, _logged, LogEntry, platform=True),
}
OF_NOBODY = {
    "challenges", "events", "jobs", "attempts", "prospects", "closings", "requests", "mailbox", "children",
}  # fmt: skip
# What is counted from a closing or a checkpoint is run over its own time: which test does.
ELSEWHERE = {
    ending.closed_customers: ends.test_after_30_days_all_but_the_books_is_erased_and_nothing_can_be_undone,
    ending.closed_tenants: test_dropping.test_a_closed_workspace_goes_on_by_itself_until_nobody_is_left,
    ending.erasures_left: desk.test_a_prospect_is_erased_with_the_answers_and_the_name_in_the_admins_log,
    ending.tenants_books: ends._goes_after_seven_years,
    ending.rehearsals: test_dropping.test_a_rehearsal_goes_by_itself_after_30_days_of_real_time,
    billing_purging.closed_accounts: test_dropping.test_books_that_cannot_go_stop_no_others,
    sweeping.audit_record: lambda: test_events_of_the_audit_log_go_after_two_years_and_of_money_after_seven,
}


def test_every_rule_that_a_field_is_under_is_executed_here() -> None:
    """Each executor by itself: several may be under one rule. What has no period says what ends it."""
    tried = {(rule.retention, rule.run) for rule in RULES.values()}
    there = {(each.rule, each.run) for each in retention.executors() if each.run not in ELSEWHERE}
    assert {pair for pair in there if not pair[1].__module__.startswith("operations.")} == tried
    assert set(ELSEWHERE) <= {each.run for each in retention.executors()}
    for rule in retention.UNTIL:
        assert PERIODS[rule].days is None and PERIODS[rule].years is None


def ticks(due: datetime) -> tuple[datetime, datetime]:
    """The last run before this instant and the first one after it: twice a day at the tenant's own minute."""
    past = (due - TODAY.replace(year=2010) - timedelta(minutes=97)) // HALF_DAY
    before = TODAY.replace(year=2010) + timedelta(minutes=97) + past * HALF_DAY
    return (before - HALF_DAY if before == due else before), before + HALF_DAY


def begun() -> list[datetime]:
    """Instants over eight years, the same in each run, leap days and year ends among them."""
    draw = random.Random(2026)
    start = TODAY - YEARS * 365 * DAY
    return [
        *LEAP_DAYS, datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC),
        *(start + timedelta(seconds=draw.randrange(YEARS * 365 * 86_400)) for _ in range(8)),
    ]  # fmt: skip


@pytest.fixture
def place(request: pytest.FixtureRequest, tenant: Any) -> Iterator[tuple[Rule, Any, Any]]:
    """The rule, somebody, and somebody under a legal hold, in the schema that the rule is for."""
    rule = RULES[request.param]
    with enter_public() if rule.platform else enter(tenant):
        role = "platform" if rule.platform else "contact"
        free, held = making.person("free@x.example", role), making.person("held@x.example", role)
        Hold.objects.create(
            subject_kind="user", subject_id=str(held.pk), reason="court", placed_by="x", placed_at=TODAY,
            review_on=TODAY.date(),
        )  # fmt: skip
        yield rule, free, held


@pytest.mark.parametrize("place", RULES, indirect=True)
def test_over_eight_years_nothing_goes_early_late_or_under_a_hold(
    place: tuple[Rule, Any, Any], actor: Any, request: pytest.FixtureRequest
) -> None:
    rule, free, held = place
    name = request.node.callspec.params["place"]
    period = PERIODS[rule.retention]
    began = [at for at in begun() if not rule.by_database or period.over_at(at) + DAY < datetime.now(UTC)]
    due = {rule.make(at, free).pk: at if rule.at_once else period.over_at(at) for at in began}
    kept = set() if name in OF_NOBODY else {rule.make(at, held).pk for at in begun()[:3]}
    steps = sorted({tick for end in due.values() for tick in ticks(end)})
    mine = rule.model.objects.filter(pk__in=[*due, *kept])
    for tick in steps:
        would = sum(each.count for each in rule.run(now=tick, dry_run=True, actor=actor))
        went = sum(each.count for each in rule.run(now=tick, dry_run=False, actor=actor))
        assert went == would
        early_or_late = {pk for pk, end in due.items() if end > tick} | kept
        assert set(mine.values_list("pk", flat=True)) == early_or_late, tick
    for end in due.values():
        assert timedelta(0) <= ticks(end)[1] - end <= HALF_DAY < DAY, "gone within a day"


def anchor(at: datetime) -> None:
    """What a checkpoint would leave, of one that nobody takes: the head as it is."""
    schema, head = current_schema(), ChainHead.objects.get()
    with enter_public():
        checkpoint = Checkpoint.objects.create(
            number=10**9 + head.seq, at=at, document="", signature=b"", hash=b""
        )
        Anchor.objects.create(
            id=new_id(), checkpoint=checkpoint, at=at, schema_name=schema, seq=head.seq, hash=head.hash
        )


def test_events_of_the_audit_log_go_after_two_years_and_of_money_after_seven(tenant: Any, actor: Any) -> None:
    """G32, over eight years that end today, for the database believes no clock that is ahead of its own."""
    real = datetime.now(UTC)
    due: dict[Any, datetime] = {}
    began = sorted([*begun(), TODAY - YEARS * 365 * DAY + HALF_DAY])
    steps: list[tuple[datetime, Action | None]] = [(at + CHECKPOINT, None) for at in began]
    steps += [
        (tick, None)
        for at in began
        for years in (2, 7)
        for tick in ticks(years_after(at, years) + CHECKPOINT)
    ]
    steps = [(at, action) for at, action in steps if at < real]
    steps += [(at, action) for at in began for action in (Action.CUSTOMER_CHANGED, Action.INVOICE_ISSUED)]
    for at, action in sorted(steps, key=lambda step: step[0]):
        if action is not None:
            event = record(action, subject=("customer", "9"), actor=actor, now=at)
            due[event] = years_after(at, 7 if action is Action.INVOICE_ISSUED else 2) + CHECKPOINT
        elif at - CHECKPOINT in began:
            anchor(at)
        else:
            sweeping.audit_record(now=at, dry_run=False, actor=actor)
            left = set(AuditEvent.objects.filter(pk__in=due).values_list("pk", flat=True))
            assert left == {pk for pk, end in due.items() if end > at}, at
    went = [end for end in due.values() if end < real - DAY]
    assert len(went) > 8 and PurgedLink.objects.count() == len(went)
    assert verifying.verify(testimony.rows()).problem is None


def test_seven_years_are_seven_years_to_the_day_also_after_a_leap_day() -> None:
    day = timedelta(days=1)
    for began in (*LEAP_DAYS, datetime(2021, 3, 1, tzinfo=UTC), datetime(2022, 2, 28, 8, tzinfo=UTC)):
        over = years_after(began, 7)
        assert (over.month, over.day) == ((3, 1) if (began.month, began.day) == (2, 29) else
                                          (began.month, began.day))  # fmt: skip
        assert years_before(over - timedelta(microseconds=1), 7) < began
        assert years_before(over + day, 7) > began


def test_a_run_is_recorded_and_one_broken_rule_holds_up_no_other(
    tenant: Any, actor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, now = making.person("a@x.example"), TODAY

    def broken(**_: Any) -> list[Swept]:
        raise OSError("gone")

    first = retention.Executor(Retention.DEVICE, "tenant", broken)
    monkeypatch.setattr(retention, "_executors", [first, *retention.executors()])
    _session(now - 31 * DAY, user)
    with pytest.raises(retention.SomeFailed, match="device"):
        retention.run(now=now, dry_run=False, actor=actor)
    assert not Session.objects.exists()
    event = AuditEvent.objects.get(action="retention.run")
    assert event.details["gone"]["accounts_session"] == 1


def test_nothing_goes_of_a_tenant_under_a_legal_hold(tenant: Any, actor: Any) -> None:
    _session(TODAY - 31 * DAY, making.person("a@x.example"))
    _parked = {"schema_name": tenant.schema_name, "name": "tests.any"}
    with enter_public():
        job = Job.objects.create(
            id=first_id_at(TODAY - 40 * DAY), state="done", done_at=TODAY - 40 * DAY, **_parked
        )
        hold = Hold.objects.create(
            subject_kind="tenant", subject_id=str(tenant.pk), reason="court", placed_by="x",
            placed_at=TODAY, review_on=TODAY.date(),
        )  # fmt: skip
        retention.run(now=TODAY, dry_run=False, actor=actor)
        assert Job.objects.filter(pk=job.pk).exists()
    assert retention.run(now=TODAY, dry_run=False, actor=actor) == []
    with enter_public():
        hold.lifted_at = TODAY
        hold.save()
        retention.run(now=TODAY, dry_run=False, actor=actor)
        assert not Job.objects.filter(pk=job.pk).exists()
    retention.run(now=TODAY, dry_run=False, actor=actor)
    assert not Session.objects.exists()


def test_the_command_shows_what_would_go_and_then_makes_it_go(tenant: Any, monkeypatch: Any) -> None:
    _session(TODAY - 31 * DAY, making.person("a@x.example"))
    asked = {"tenant": tenant.slug, "now": TODAY.isoformat()}

    def said(**more: Any) -> str:
        out = StringIO()
        call_command("retention", stdout=out, **asked, **more)
        return out.getvalue()

    assert "accounts_session" in said(dry_run=True)
    assert Session.objects.count() == 1
    row = next(line for line in said().splitlines() if "accounts_session" in line)
    assert row.split() == [tenant.schema_name, "accounts_session", "1"]
    assert not Session.objects.exists()
    asked["now"] = "2126-01-01"
    with pytest.raises(CommandError, match="--dry-run"):
        said()
    assert "accounts_session" in said(dry_run=True)


@pytest.mark.parametrize("platform", [False, True])
def test_that_people_were_told_is_kept_for_two_years_by_the_database_itself(
    tenant: Any, platform: bool
) -> None:
    now = datetime.now(UTC)
    with enter_public() if platform else enter(tenant):
        user = making.person("a@x.example", "platform" if platform else "contact")
        row = _told(now - 729 * DAY, user)
        with pytest.raises(DatabaseError, match="kept for two years"), transaction.atomic():
            row.delete()
        _told(now - 732 * DAY, user).delete()
