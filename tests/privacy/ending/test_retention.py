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
from audit.models import AuditEvent
from billing import purging as billing_purging
from billing.models import StripeEvent
from privacy import retention, sweeping
from privacy.inventory import Retention
from privacy.models import ContactMessage, Erasure, Hold, Restriction
from privacy.periods import PERIODS, years_after, years_before
from privacy.retention import Swept
from tenants.context import enter, enter_public
from tenants.ids import first_id_at, new_id
from tenants.models import Job, Throttle
from tests.billing.portal import making

YEARS = 8
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
    "events": Rule(Retention.VENDOR_EVENT, billing_purging.handled_events, _event, StripeEvent),
    "jobs": Rule(Retention.JOB, B.jobs, _job, Job, platform=True),
    "attempts": Rule(Retention.THROTTLE, B.attempts, _attempt, Throttle, platform=True, at_once=True),
    "prospects": Rule(Retention.PROSPECT, B.prospects, _prospect, ContactMessage, platform=True),
    "admin log": Rule(Retention.RECORD, B.staff_record, _logged, LogEntry, platform=True),
}
OF_NOBODY = {"challenges", "events", "jobs", "attempts", "prospects"}


def test_every_rule_that_a_field_is_under_is_executed_here() -> None:
    """What others execute is tested where they are; what has no period says what ends it."""
    elsewhere = {Retention.ACCOUNT, Retention.BILLING, Retention.EXPORT_FILE}  # test_closing, test_exporting
    covered = {rule.retention for rule in RULES.values()} | elsewhere
    here = {"accounts.purging", "privacy.sweeping", "privacy.ending", "billing.purging"}
    mine = [each for each in retention.executors() if each.run.__module__ in here]
    assert {each.rule for each in mine} <= covered
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
    due = {rule.make(at, free).pk: at if rule.at_once else period.over_at(at) for at in begun()}
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
