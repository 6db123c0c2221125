"""The log of erasures outside of the database, and doing them again after an older one was restored."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import erasing
from privacy import erasure_log_gateway as gateway
from privacy.models import Erasure
from privacy.subjects import Subject
from tenants.context import current_schema, enter, enter_public
from tenants.directory import tenant_of_schema
from tenants.models import Tenant
from tenants.postgresql.base import PUBLIC

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Logged:
    """One erasure: in which schema, of whom, when."""

    schema_name: str
    subject: Subject
    at: datetime


def note(subject: Subject, *, at: datetime) -> None:
    """Write the erasure down outside of the database. Talks to S3."""
    if not gateway.is_set():
        log.warning("ERASURE_BUCKET is not set: after a restore nobody knows of this erasure")
        return
    schema = current_schema()
    entry = {"schema": schema, "kind": subject.kind, "id": subject.id, "at": at.isoformat()}
    gateway.put(f"{schema}/{subject.kind}/{subject.id}", entry)


def logged() -> Iterator[Logged]:
    """Return all erasures that were written down. Talks to S3."""
    for entry in gateway.entries():
        at = datetime.fromisoformat(entry["at"])
        yield Logged(entry["schema"], Subject(entry["kind"], entry["id"]), at)


def replay(entry: Logged, *, actor: Actor, now: datetime) -> str:
    """Erase again whom a restore has brought back; returns what was done, in words."""
    if entry.schema_name == PUBLIC:
        with enter_public():
            return _replay(entry.subject, actor=actor, now=now)
    try:
        tenant = tenant_of_schema(entry.schema_name)
    except Tenant.DoesNotExist:
        return "its workspace is not here"
    with enter(tenant):
        return _replay(entry.subject, actor=actor, now=now)


def _replay(subject: Subject, *, actor: Actor, now: datetime) -> str:
    if erasing.is_erased(subject):
        return "is erased"
    erasure = erasing.begin(subject, because=Erasure.Because.REPLAYED, actor=actor, now=now)
    with transaction.atomic():
        record(Action.ERASURE_REPLAYED, subject=(subject.kind, subject.id), actor=actor, now=now)
    done = erasing.carry_out(erasure.pk, actor=actor, now=now)
    return "erased again" if done else "waits: something stands in the way"
