"""Incidents, step by step: declare, find out how far it went, rotate, tell those affected, say it publicly.

All of it in the shared schema; each step is one event of the platform's audit log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import scoping
from privacy.models import Incident, IncidentNotice, IncidentRotation, IncidentScope
from privacy.rotating import by_hand, rotations
from privacy.scoping import Reach
from tenants.context import Public, Schema, enter, enter_public
from tenants.directory import every_tenant
from tenants.jobs import enqueue
from tenants.postgresql.base import PUBLIC

BATCH = 2_000
WORDS = ("consequences", "measures", "mail_subject", "mail_text", "public_title", "public_text")
ROTATE = "privacy.rotate_credentials"
NoticeState = IncidentNotice.State


class IncidentRefused(ValueError):
    """What is asked for does not fit the state of the incident; says what to do first."""


@dataclass(frozen=True, slots=True)
class Found:
    """What somebody noticed, and when: the 72 hours run from there."""

    title: str
    nature: str
    found_at: datetime
    is_drill: bool = False


def declare(found: Found, *, actor: Actor, now: datetime) -> Incident:
    """Open the register's entry. Raises `IncidentRefused` for one that is found in the future."""
    if found.found_at > now:
        raise IncidentRefused("It cannot have been found later than now.")
    incident = Incident(
        title=found.title.strip(),
        nature=found.nature.strip(),
        found_at=found.found_at,
        is_drill=found.is_drill,
        declared_at=now,
        declared_by=actor.label[:254],
    )
    with enter_public(), transaction.atomic():
        incident.save(force_insert=True)
        _record(Action.INCIDENT_DECLARED, incident, actor, now, is_drill=found.is_drill)
    return incident


def describe(incident: Incident, *, actor: Actor, now: datetime, **words: str) -> Incident:
    """Write its texts (`WORDS`). What was mailed or published stays as it was: `IncidentRefused`."""
    if not words:
        return incident
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        for name in words:
            fixed = (name.startswith("mail_") and locked.notices_asked_at) or (
                name.startswith("public_") and locked.published_at
            )
            if name not in WORDS or fixed:
                raise IncidentRefused("What people were told already cannot be changed.")
            setattr(locked, name, words[name].strip())
        locked.save(update_fields=list(words))
        _record(Action.INCIDENT_CHANGED, locked, actor, now, fields=sorted(words))
    return locked


def scope(incident: Incident, reach: Reach, *, actor: Actor, now: datetime) -> int:
    """Find who is affected, write it down with a notice for each; returns how many people. Repeatable.

    Whoever was told already stays on record. Raises `IncidentRefused` once notices are on their way.
    """
    if incident.notices_asked_at:
        raise IncidentRefused("Notices are on their way; declare another incident for others.")
    chosen: list[Schema] = [tenant for tenant in every_tenant() if tenant.schema_name in reach.schemas]
    if PUBLIC in reach.schemas:
        chosen.append(Public())
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        IncidentScope.objects.filter(incident=locked).delete()
        IncidentNotice.objects.filter(incident=locked, state=IncidentNotice.State.WAITING).delete()
        people = sum(_scope_one(locked, tenant, reach) for tenant in chosen)
        locked.scoped_at = now
        locked.save(update_fields=["scoped_at"])
        _record(
            Action.INCIDENT_SCOPED, locked, actor, now, tenants=[each.schema_name for each in chosen],
            people=people, narrowed=reach.narrowed,
        )  # fmt: skip
    incident.refresh_from_db()
    return people


def _scope_one(incident: Incident, tenant: Schema, reach: Reach) -> int:
    with enter(tenant):
        found = scoping.affected(reach)
    IncidentScope.objects.bulk_create(
        IncidentScope(
            incident=incident,
            schema_name=tenant.schema_name,
            subject_kind=kind,
            categories=found.categories[kind],
            people=len(ids),
            rows=found.rows[kind],
        )
        for kind, ids in found.ids.items()
    )
    with enter(tenant):
        told = list(_once_an_address(found.ids))
    notices = [
        IncidentNotice(incident=incident, schema_name=tenant.schema_name, subject_kind=kind, subject_id=each)
        for kind, each in told
    ]
    IncidentNotice.objects.bulk_create(notices, batch_size=BATCH, ignore_conflicts=True)
    return len(told)


def _once_an_address(ids: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """One subject for each address: whoever is a customer and logs in is one person, and hears once."""
    seen: set[str] = set()
    for kind, wanted in ids.items():
        among = set(wanted)
        for pk, email in scoping.kind_called(kind).addresses().iterator(chunk_size=BATCH):
            if str(pk) in among and email.lower() not in seen:
                seen.add(email.lower())
                yield kind, str(pk)


def rotate(incident: Incident, *, actor: Actor, now: datetime) -> int:
    """Ask for every credential to be replaced, where it reached and on the platform; returns how many.

    Jobs do it, a tenant at a time, so that nobody's page waits; what only people can replace waits for them
    (`tick`). Asking again goes on with what is not done.
    """
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        schemas = sorted(set(locked.scopes.values_list("schema_name", flat=True)) - {PUBLIC})
        wanted = [(PUBLIC, each.name) for each in rotations() if each.on_platform]
        wanted += [(schema, each.name) for schema in schemas for each in rotations() if each.in_tenants]
        wanted += [(PUBLIC, each.name) for each in by_hand()]
        IncidentRotation.objects.bulk_create(
            [IncidentRotation(incident=locked, schema_name=schema, name=name) for schema, name in wanted],
            ignore_conflicts=True,
        )
        open_ones = list(locked.rotations.filter(done_at__isnull=True))
        jobs = {each.name for each in rotations()}
        for each in (each for each in open_ones if each.name in jobs):
            enqueue(ROTATE, schema=each.schema_name, rotation_id=str(each.pk))
        locked.rotation_asked_at = now
        locked.save(update_fields=["rotation_asked_at"])
        _record(Action.INCIDENT_ROTATION_ASKED, locked, actor, now, rotations=len(open_ones))
    incident.refresh_from_db()
    return len(open_ones)


def tick(incident: Incident, row_id: UUID, *, note: str, actor: Actor, now: datetime) -> IncidentRotation:
    """Note that a person replaced these credentials, and how. Raises `IncidentRefused` for what is done."""
    if not note.strip():
        raise IncidentRefused("Write down what was done.")
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        row = locked.rotations.filter(pk=row_id, done_at__isnull=True).first()
        if row is None:
            raise IncidentRefused("That is replaced already, or was not asked for.")
        row.done_at, row.done_by, row.outcome = now, actor.label[:254], note.strip()[:300]
        row.save(update_fields=["done_at", "done_by", "outcome"])
        _record(Action.CREDENTIALS_ROTATED, locked, actor, now, what=row.name, outcome=row.outcome)
    return row


def notice_replaced(*, actor: Actor, now: datetime) -> int:
    """Note what people have replaced since an incident was declared, where that shows; returns how many."""
    seen = {each.name: each.seen for each in by_hand() if each.seen is not None}
    noticed = 0
    with enter_public(), transaction.atomic():
        waiting = IncidentRotation.objects.filter(
            name__in=seen, done_at__isnull=True, incident__closed_at__isnull=True
        )
        for row in waiting.select_related("incident").select_for_update(of=("self",), no_key=True):
            outcome = seen[row.name](row.incident.declared_at)
            if outcome:
                row.done_at, row.outcome = now, outcome[:300]
                row.save(update_fields=["done_at", "outcome"])
                _record(
                    Action.CREDENTIALS_ROTATED, row.incident, actor, now, what=row.name, outcome=row.outcome
                )
                noticed += 1
    return noticed


def review(incident: Incident, *, found: str, actor: Actor, now: datetime) -> Incident:
    """Note that a person has gone through the audit log, and what it shows."""
    if not found.strip():
        raise IncidentRefused("Write down what the audit log shows, or that it shows nothing.")
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        locked.reviewed_at, locked.reviewed_by = now, actor.label[:254]
        locked.review_found = found.strip()
        locked.save(update_fields=["reviewed_at", "reviewed_by", "review_found"])
        _record(Action.INCIDENT_REVIEWED, locked, actor, now)
    return locked


def ask_notices(incident: Incident, *, actor: Actor, now: datetime) -> int:
    """Let the notices leave, in batches (`privacy.notifying`); returns how many wait."""
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        if locked.scoped_at is None:
            raise IncidentRefused("Find out first who is affected.")
        if not (locked.mail_subject and locked.mail_text and locked.consequences and locked.measures):
            raise IncidentRefused(
                "Write the mail first, and what may follow and what was done: Art. 34(2) GDPR asks for both."
            )
        if locked.notices_asked_at is None:
            locked.notices_asked_at = now
            locked.save(update_fields=["notices_asked_at"])
        waiting = locked.notices.filter(state=IncidentNotice.State.WAITING).count()
        _record(Action.INCIDENT_NOTICES_ASKED, locked, actor, now, waiting=waiting)
    incident.refresh_from_db()
    return waiting


def retry_notices(incident: Incident, *, actor: Actor, now: datetime) -> int:
    """Let the notices that were refused be tried again; returns how many."""
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        count = unreached(locked).update(state=NoticeState.WAITING, tries=0, next_at=None)
        _record(Action.INCIDENT_NOTICES_RETRIED, locked, actor, now, notices=count)
    return count


def give_up_notices(incident: Incident, *, because: str, actor: Actor, now: datetime) -> int:
    """Say of those who were refused why they cannot be told by mail; returns how many."""
    if not because.strip():
        raise IncidentRefused("Say why they cannot be told by mail, and how they hear of it instead.")
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        count = unreached(locked).update(state=NoticeState.GIVEN_UP, given_up_because=because.strip()[:300])
        _record(Action.INCIDENT_NOTICES_GIVEN_UP, locked, actor, now, notices=count, because=because.strip())
    return count


def unreached(incident: Incident) -> QuerySet[IncidentNotice]:
    """The notices that the mail server refused, for good or up to now."""
    refused = Q(state=NoticeState.FAILED) | Q(state=NoticeState.WAITING) & ~Q(problem="")
    return incident.notices.filter(refused)


def publish(incident: Incident, *, actor: Actor, now: datetime) -> Incident:
    """Put the public notice on the site. It needs no mail server."""
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        if not (locked.public_title and locked.public_text):
            raise IncidentRefused("Write the public notice first.")
        if locked.published_at is None:
            locked.published_at = now
            locked.save(update_fields=["published_at"])
            _record(Action.INCIDENT_PUBLISHED, locked, actor, now)
    return locked


def tell_authority(
    incident: Incident, *, authority: str, reference: str, at: datetime, actor: Actor, now: datetime
) -> Incident:
    """Note that the supervisory authority was told, when, and under which reference."""
    return _authority(
        incident, actor, now, authority=authority, authority_reference=reference, authority_told_at=at,
        authority_not_told_because="",
    )  # fmt: skip


def not_told(incident: Incident, *, because: str, actor: Actor, now: datetime) -> Incident:
    """Note why no authority is told: only where a risk to people is unlikely, Art. 33(1) GDPR."""
    if not because.strip():
        raise IncidentRefused("Say why no risk to people is likely: the register must show it.")
    return _authority(incident, actor, now, authority_not_told_because=because.strip())


def _authority(incident: Incident, actor: Actor, now: datetime, **fields: Any) -> Incident:
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        for name, value in fields.items():
            setattr(locked, name, value)
        locked.save(update_fields=list(fields))
        told = str(fields.get("authority", ""))
        _record(Action.INCIDENT_AUTHORITY_TOLD, locked, actor, now, authority=told)
    return locked


def close(incident: Incident, *, actor: Actor, now: datetime) -> Incident:
    """Close it. Raises `IncidentRefused` with all that is still missing."""
    with enter_public(), transaction.atomic():
        locked = _locked(incident)
        left = missing(locked)
        if left:
            raise IncidentRefused("Not yet: " + "; ".join(left) + ".")
        locked.closed_at = now
        locked.save(update_fields=["closed_at"])
        _record(Action.INCIDENT_CLOSED, locked, actor, now)
    return locked


def missing(incident: Incident) -> Sequence[str]:
    """Return what is left to do before it may be closed, in words."""
    left = []
    if incident.scoped_at is None:
        left.append("find out who is affected")
    if incident.rotation_asked_at is None or incident.rotations.filter(done_at__isnull=True).exists():
        left.append("rotate all credentials")
    if incident.reviewed_at is None:
        left.append("review the audit log, and write down what it shows")
    if not incident.consequences or not incident.measures:
        left.append("write what may follow and what was done")
    waiting = incident.notices.filter(state=NoticeState.WAITING)
    if incident.notices.exists() and (incident.notices_asked_at is None or waiting.exists()):
        left.append("tell everybody who is affected")
    if incident.notices.filter(state=NoticeState.FAILED).exists():
        left.append("try those again whom the mail server refused, or say why they cannot be told")
    if incident.published_at is None:
        left.append("publish the notice")
    if incident.authority_told_at is None and not incident.authority_not_told_because:
        left.append("tell the authority, or say why not")
    return left


def _locked(incident: Incident) -> Incident:
    locked = Incident.objects.select_for_update(of=("self",)).get(pk=incident.pk)
    if locked.closed_at is not None:
        raise IncidentRefused("This incident is closed; what is on record stays as it is.")
    return locked


def _record(action: Action, incident: Incident, actor: Actor, now: datetime, **details: Any) -> None:
    record(action, subject=("incident", incident.pk), actor=actor, now=now, **details)
