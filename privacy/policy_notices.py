"""Telling one tenant's people of a coming version of the policy: a row each, mailed under the hourly cap.

All but `retry` and `give_up` are for jobs, inside the tenant. A batch may be cut off anywhere: whoever was
mailed has it on record, the others are mailed by the next one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import audience, letters, notice_budget, notifying, subjects
from privacy.models import PolicyNotice, PolicyRound, PolicyVersion
from privacy.models.policies import NOTICE
from privacy.subjects import Known, Subject
from tenants.context import current_schema, current_tenant, enter_public
from tenants.jobs import Asked, enqueue, enqueue_many
from tenants.mail import NoAddress, send
from tenants.throttling import TooMany

BATCH = 50
ATTEMPTS = 3
LEASE = timedelta(minutes=10)
PAUSE = timedelta(hours=1)
GONE = "No longer a customer"


def plan(version_id: UUID, *, now: datetime) -> int:
    """Write a notice for each present customer of the tenant entered; returns how many there are."""
    people = (
        PolicyNotice(subject_kind=who.kind, subject_id=who.id, version_id=version_id, next_at=now)
        for who in audience.everybody()
    )
    PolicyNotice.objects.bulk_create(people, batch_size=1000, ignore_conflicts=True)
    count = PolicyNotice.objects.filter(version_id=version_id).count()
    record(
        Action.POLICY_NOTICES_PLANNED,
        subject=("policy", version_id),
        actor=Actor.system("policy notices"),
        now=now,
        people=count,
    )
    _report(version_id, now=now)
    if count:
        enqueue("privacy.send_policy_notices", version_id=str(version_id))
    return count


def send_batch(version_id: UUID, *, now: datetime) -> datetime | None:
    """Mail some of those who wait; returns when to go on, None when nobody waits any more.

    Raises what the mail server raises when it does not answer at all.
    """
    with enter_public():
        version = PolicyVersion.objects.get(pk=version_id)
    if version.effective_at < now + NOTICE:
        return None  # too late for the day that the mail would name: it is published anew with another one
    if notifying.due(now=now):  # one budget, and who is affected by an incident hears first
        return now + notifying.EVERY
    claimed = _claim(version_id, now=now)
    wait: datetime | None = None
    for place, notice in enumerate(claimed):
        person = subjects.known(Subject(notice.subject_kind, notice.subject_id))
        try:
            if person is None or not person.email:
                _mark(notice, given_up_at=now, given_up_because=GONE)
                continue
            notice_budget.spend(now)
            _mail(version, notice, person, now=now)
        except TooMany as full:
            wait = now + timedelta(seconds=full.retry_after)
            _release(claimed[place:], wait)
            break
        except OSError:  # the server, not the address
            _release(claimed[place:], now)
            _report(version_id, now=now)
            raise
    _report(version_id, now=now)
    following = _waiting(version_id).order_by("next_at").values_list("next_at", flat=True).first()
    return wait or following


def retry(version: PolicyVersion, *, actor: Actor, now: datetime) -> int:
    """Try again those that failed, in all tenants; in the shared schema. Returns in how many."""
    args = {"version_id": str(version.pk)}
    return _in_each(version, "privacy.retry_policy_notices", args, Action.POLICY_NOTICES_RETRIED, actor, now)


def give_up(version: PolicyVersion, *, because: str, actor: Actor, now: datetime) -> int:
    """Say of those that failed why they cannot be told; in the shared schema. Returns in how many tenants."""
    if not because.strip():
        raise ValueError("Say why they cannot be reached.")
    args = {"version_id": str(version.pk), "because": because.strip()[:300], "by": actor.label}
    return _in_each(
        version, "privacy.give_up_policy_notices", args, Action.POLICY_NOTICES_GIVEN_UP, actor, now
    )


def retry_here(version_id: UUID, *, now: datetime) -> None:
    """Let those that failed in the tenant entered be tried again."""
    _failing(version_id).update(attempts=0, next_at=now)
    _report(version_id, now=now)
    enqueue("privacy.send_policy_notices", version_id=str(version_id))


@transaction.atomic
def give_up_here(version_id: UUID, *, because: str, by: str, now: datetime) -> None:
    """Note of those that failed in the tenant entered that they cannot be told, and why."""
    count = _failing(version_id).update(given_up_at=now, given_up_because=because)
    record(
        Action.POLICY_NOTICES_GIVEN_UP,
        subject=("policy", version_id),
        actor=Actor("staff", "", by),
        now=now,
        people=count,
        because=because,
    )
    _report(version_id, now=now)


def _mail(version: PolicyVersion, notice: PolicyNotice, person: Known, *, now: datetime) -> None:
    """One mail, and what came of it."""
    letter = letters.policy_letter(
        name=person.name,
        business=current_tenant().name,
        summary=version.summary,
        day=f"{version.effective_at:%-d %B %Y}",
        url=f"{settings.SITE_URL.rstrip('/')}/privacy/versions/{version.number}/",
    )
    try:
        send(letter, to=person.email)
    except (SMTPRecipientsRefused, SMTPResponseException) as refused:
        _mark(notice, attempts=notice.attempts + 1, problem=_code(refused), next_at=now + PAUSE)
    except NoAddress:  # for a person to look at
        _mark(notice, attempts=ATTEMPTS, problem="not an address", next_at=now + PAUSE)
    else:
        _mark(notice, attempts=notice.attempts + 1, problem="", sent_at=now)


def _code(refused: SMTPRecipientsRefused | SMTPResponseException) -> str:
    """How the server refused, without its words: those may name people."""
    if isinstance(refused, SMTPResponseException):
        return f"refused with {refused.smtp_code}"
    codes = sorted({code for code, _ in refused.recipients.values()})
    return f"recipient refused with {', '.join(map(str, codes))}"


def _open(version_id: UUID) -> QuerySet[PolicyNotice]:
    return PolicyNotice.objects.filter(version_id=version_id, sent_at__isnull=True, given_up_at__isnull=True)


def _waiting(version_id: UUID) -> QuerySet[PolicyNotice]:
    return _open(version_id).filter(attempts__lt=ATTEMPTS)


def _failing(version_id: UUID) -> QuerySet[PolicyNotice]:
    return _open(version_id).filter(attempts__gte=ATTEMPTS)


@transaction.atomic
def _claim(version_id: UUID, *, now: datetime) -> list[PolicyNotice]:
    """Take some for this batch; whoever else sends leaves them alone until the lease is over."""
    due = _waiting(version_id).filter(next_at__lte=now).order_by("next_at", "pk")
    found = list(due.select_for_update(skip_locked=True, no_key=True)[:BATCH])
    PolicyNotice.objects.filter(pk__in=[each.pk for each in found]).update(next_at=now + LEASE)
    return found


def _release(notices: Sequence[PolicyNotice], at: datetime) -> None:
    _waiting(notices[0].version_id).filter(pk__in=[each.pk for each in notices]).update(next_at=at)


def _mark(notice: PolicyNotice, **values: Any) -> None:
    PolicyNotice.objects.filter(pk=notice.pk).update(**values)


def _report(version_id: UUID, *, now: datetime) -> None:
    """Write down for the platform how far this tenant's people are told."""
    schema = current_schema()
    people = PolicyNotice.objects.filter(version_id=version_id).count()
    waiting, failing = _open(version_id).count(), _failing(version_id).count()
    with enter_public():
        unfinished = PolicyRound.objects.filter(version_id=version_id, finished_at__isnull=True)
        unfinished.filter(schema_name=schema).update(
            people=people, told=people - waiting, failing=failing, finished_at=None if waiting else now
        )


@transaction.atomic
def _in_each(
    version: PolicyVersion, name: str, args: dict[str, str], action: Action, actor: Actor, now: datetime
) -> int:
    schemas = list(
        PolicyRound.objects.filter(version=version, failing__gt=0).values_list("schema_name", flat=True)
    )
    for schema in schemas:
        enqueue_many([Asked(name, args)], schema=schema)
    because = args.get("because", "")
    record(
        action, subject=("policy", version.pk), actor=actor, now=now, tenants=len(schemas), because=because
    )
    return len(schemas)
