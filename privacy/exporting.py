"""Copies of data to take along (D4): asked for on a page, made by a job, fetched there, gone in a week."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Q

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import access, files_gateway, packing, retention
from privacy.errors import Refused
from privacy.inventory import Retention
from privacy.models import ExportFile
from privacy.subjects import Subject, known
from tenants.context import current_schema, current_tenant, in_public
from tenants.jobs import enqueue
from vault.files import Sealer, new_key, opened

State = ExportFile.State
A_DAY: Final = 3
STUCK_AFTER: Final = timedelta(days=1)
WORKSPACE: Final = "tenant"
SAMPLE: Final = 25


def workspace() -> Subject:
    """The workspace entered, as whom a complete copy is about."""
    return Subject(WORKSPACE, str(current_tenant().pk))


def ask(subject: Subject, *, asked_by: str, actor: Actor, now: datetime) -> ExportFile:
    """Have a copy made for this user. Raises `Refused`: one at a time, and three a day."""
    if not settings.FILES_BUCKET:
        raise Refused("Copies have no place to lie here: FILES_BUCKET has to be set first.")
    export = ExportFile(
        subject_kind=subject.kind, subject_id=subject.id, asked_by=asked_by, asked_at=now, key=new_key()
    )
    try:
        with transaction.atomic():
            of_subject = ExportFile.objects.filter(subject_kind=subject.kind, subject_id=subject.id)
            of_subject.filter(state__in=ExportFile.UNDER_WAY, asked_at__lt=now - STUCK_AFTER).update(
                state=State.FAILED, key=None
            )
            if of_subject.filter(asked_at__gt=now - timedelta(days=1)).count() >= A_DAY:
                raise Refused(f"There were {A_DAY} copies within a day. Take one of them, or ask tomorrow.")
            export.save(force_insert=True)
            record(
                Action.EXPORT_ASKED,
                subject=(subject.kind, subject.id),
                actor=actor,
                now=now,
                export=str(export.pk),
            )
            enqueue("privacy.make_export", key=f"export:{export.pk}", export_id=str(export.pk))
    except IntegrityError as error:
        raise Refused("A copy is being made already. It is ready soon.") from error
    return export


def exports_of(subject: Subject, *, asked_by: str) -> Sequence[ExportFile]:
    """Return the copies that this user asked for, the latest first."""
    rows = ExportFile.objects.filter(subject_kind=subject.kind, subject_id=subject.id, asked_by=asked_by)
    return list(rows.order_by("-asked_at")[:SAMPLE])


def is_taken_along(subject: Subject, *, now: datetime) -> bool:
    """Tell whether somebody has fetched a copy of it that was made within these seven days."""
    of_subject = ExportFile.objects.filter(subject_kind=subject.kind, subject_id=subject.id)
    return of_subject.filter(state=State.READY, expires_at__gt=now, downloaded_at__isnull=False).exists()


def find(export_id: UUID, *, asked_by: str) -> ExportFile | None:
    """Return the copy, if it was this user who asked for it."""
    return ExportFile.objects.filter(pk=export_id, asked_by=asked_by).first()


def progress_of(export: ExportFile) -> int:
    """Return how much of it is done, in percent, as far as that is known."""
    done = cache.get(f"export:{export.pk}")
    return done if isinstance(done, int) and 0 <= done <= 100 else 0


def make(export_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Write the copy and put it, sealed, into the bucket. Safe to repeat; no transaction may be open."""
    export = _begin(export_id)
    if export is None:
        return
    subject = Subject(export.subject_kind, export.subject_id)
    tables = access.tables_of_workspace() if subject.kind == WORKSPACE else access.tables_about(subject)
    heading = packing.Heading(_whom(subject), _business(), now)

    def told(done: int, of: int) -> None:
        cache.set(f"export:{export.pk}", done * 100 // max(of, 1), 3600)

    with TemporaryFile() as file:  # it has no name, and holds only what is sealed
        sealer = Sealer(file, _key_of(export), context=place_of(export))
        packed = packing.pack(sealer, tables, heading, told=told)
        sealer.finish()
        size = file.tell()
        file.seek(0)
        files_gateway.bucket().put(place_of(export), file)
    if not _finish(export.pk, packed, size, actor=actor, now=now):
        files_gateway.bucket().delete(place_of(export))


def fetch(export: ExportFile, *, actor: Actor, now: datetime) -> Iterator[bytes]:
    """Return the copy's contents, piece by piece, and record that it was taken. Raises `Refused`."""
    gone = (
        "This copy is gone: copies are kept for seven days, and not when somebody in them is erased. "
        "Ask for a new one."
    )
    if not export.is_ready or export.expires_at is None or export.expires_at <= now:
        raise Refused(gone)
    try:
        source = files_gateway.bucket().open(place_of(export))
    except files_gateway.FileGone as error:
        raise Refused(gone) from error
    with transaction.atomic():
        ExportFile.objects.filter(pk=export.pk).update(downloaded_at=now)
        record(
            Action.EXPORT_DOWNLOADED, subject=(export.subject_kind, export.subject_id), actor=actor, now=now,
            export=str(export.pk),
        )  # fmt: skip
    return opened(source, _key_of(export), context=place_of(export))


def expire(export_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """Delete the file and its key, if its time is over; returns whether. No transaction may be open.

    Of one that expired before its time, whose key is gone, the file is deleted.
    """
    over = Q(state=State.READY, expires_at__lte=now) | Q(state=State.EXPIRED)
    export = ExportFile.objects.filter(over, pk=export_id).first()
    if export is None:
        return False
    files_gateway.bucket().delete(place_of(export))
    with transaction.atomic():
        gone = ExportFile.objects.filter(pk=export_id, state=State.READY)
        if not gone.update(state=State.EXPIRED, key=None):
            return False
        _record_expired(export, actor=actor, now=now)
    return True


def expire_at_once(subject: Subject, *, actor: Actor, now: datetime) -> int:
    """Destroy the keys of the subject's copies, made or in the making; the files go after commit."""
    mine = ExportFile.objects.filter(subject_kind=subject.kind, subject_id=subject.id)
    standing = (*ExportFile.UNDER_WAY, State.READY)
    exports = list(mine.filter(state__in=standing).select_for_update().order_by("pk"))
    ExportFile.objects.filter(pk__in=[each.pk for each in exports]).update(state=State.EXPIRED, key=None)
    for export in exports:
        _record_expired(export, actor=actor, now=now)
        enqueue("privacy.expire_export", export_id=str(export.pk))
    return len(exports)


def forget_progress(export_id: UUID) -> None:
    """Forget how much of a copy is done."""
    cache.delete(f"export:{export_id}")


def _record_expired(export: ExportFile, *, actor: Actor, now: datetime) -> None:
    record(
        Action.EXPORT_EXPIRED, subject=(export.subject_kind, export.subject_id), actor=actor, now=now,
        export=str(export.pk),
    )  # fmt: skip


def delete_files() -> None:
    """Delete every file of the schema entered, which is about to go. No transaction may be open."""
    for export in ExportFile.objects.filter(key__isnull=False):
        files_gateway.bucket().delete(place_of(export))


def place_of(export: ExportFile) -> str:
    """Where in the bucket the file lies."""
    return f"exports/{current_schema()}/{export.pk}.zip"


def file_name(export: ExportFile) -> str:
    """What the file is called where it is saved."""
    return f"{export.subject_kind}-data-{export.asked_at:%Y-%m-%d}.zip"


def _key_of(export: ExportFile) -> str:
    if export.key is None:
        raise Refused("The key of this copy is gone, and with it the copy.")
    return export.key.reveal()


def _begin(export_id: UUID) -> ExportFile | None:
    with transaction.atomic():
        export = ExportFile.objects.select_for_update().filter(pk=export_id).first()
        if export is None or not export.is_under_way:
            return None
        ExportFile.objects.filter(pk=export.pk).update(state=State.RUNNING)
    return export


def _finish(export_id: UUID, packed: packing.Packed, size: int, *, actor: Actor, now: datetime) -> bool:
    """Mark the copy ready; False where it is not wanted any more."""
    with transaction.atomic():
        export = ExportFile.objects.select_for_update().filter(pk=export_id).first()
        if export is None or export.state not in (State.RUNNING, State.READY):
            return False
        if export.is_ready:
            return True  # another attempt was quicker; the file is the same
        period = retention.period_of(Retention.EXPORT_FILE, now)
        assert period.days is not None
        until = now + timedelta(days=period.days)
        export.state, export.ready_at, export.expires_at = State.READY, now, until
        export.tables, export.rows, export.size = packed.tables, packed.rows, size
        export.save(update_fields=["state", "ready_at", "expires_at", "tables", "rows", "size"])
        record(
            Action.EXPORT_READY, subject=(export.subject_kind, export.subject_id), actor=actor, now=now,
            export=str(export.pk), rows=packed.rows,
        )  # fmt: skip
        enqueue("privacy.mail_export_ready", key=f"export_ready:{export.pk}", export_id=str(export.pk))
        enqueue("privacy.expire_export", run_at=until, export_id=str(export.pk))
    return True


def _whom(subject: Subject) -> str:
    if subject.kind == WORKSPACE:
        return f"the whole workspace {current_tenant().name}"
    found = known(subject)
    return f"{found.name} <{found.email}>" if found is not None else str(subject)


def _business() -> str:
    return "ProEcommerce" if in_public() else current_tenant().name
