"""Jobs of closings and erasures."""

from datetime import datetime
from uuid import UUID

from audit.actors import Actor
from privacy import ending, erasing, erasure_log, telling
from privacy.subjects import Subject
from tenants import clock
from tenants.jobs import job

ERASER = Actor.system("erasure")


@job("privacy.erase", outside=True)
def erase(*, erasure_id: str) -> None:
    """Carry the erasure out, or what is left of it."""
    erasing.carry_out(UUID(erasure_id), actor=ERASER, now=clock.now())


@job("privacy.log_erasure", outside=True)
def log_erasure(*, kind: str, subject_id: str, at: str) -> None:
    """Note outside of the database that the subject is erased, for whoever restores an older one."""
    erasure_log.note(Subject(kind, subject_id), at=datetime.fromisoformat(at))


@job("privacy.mail_closing", outside=True)
def mail_closing(*, subject_kind: str, subject_id: str, which: str) -> None:
    """Tell of a closing, while it stands."""
    telling.tell_of_closing(Subject(subject_kind, subject_id), which=which)


@job("privacy.end_tenant", outside=True)
def end_tenant(*, before: str = "", **_: str) -> None:
    """Erase everybody of a closed tenant, some at a time."""
    ending.end_tenant(actor=ERASER, now=clock.now(), before=int(before) if before else None)
