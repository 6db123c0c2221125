"""Deleting what is over, batch by batch: rows that somebody holds are left for the next run."""

from datetime import datetime
from typing import Any, Final

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Model, Q, QuerySet

from audit.actors import Actor
from privacy import exporting, holds
from privacy.inventory import Retention
from privacy.models import (
    Closing,
    ContactMessage,
    DataRequest,
    Erasure,
    ExportFile,
    PolicyNotice,
    ReceivedMail,
    Restriction,
    UnderageReport,
)
from privacy.retention import Swept, executes, over_before
from tenants import audit_purging, purging, throttling

BATCH: Final = 2_000
# What is left after that many is for the next run: it must end before its lease does.
BATCHES: Final = 100


def sweep(rows: "QuerySet[Any]", *, dry_run: bool) -> Swept:
    """Delete these rows but for those of subjects under a hold; commits by batches, waits for nobody."""
    table, model, gone = rows.model._meta.db_table, rows.model, 0
    rows = holds.without_held(rows)
    if dry_run:
        return Swept(table, rows.count())
    for _ in range(BATCHES):
        with transaction.atomic():
            free = rows.order_by("pk").select_for_update(of=("self",), skip_locked=True)
            ids = list(free.values_list("pk", flat=True)[:BATCH])
            _delete(model, ids)
        gone += len(ids)
        if len(ids) < BATCH:
            break
    return Swept(table, gone)


def _delete(model: type[Model], ids: list[Any]) -> None:
    if ids:
        model._base_manager.filter(pk__in=ids).delete()


@executes(Retention.JOB, scope="platform")
def jobs(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Jobs that are done, of all tenants, and what went wrong with those that are parked."""
    cut, kept = over_before(Retention.JOB, now), holds.held_schemas()
    gone = purging.purge_done_jobs(before=cut, but=kept, dry_run=dry_run)
    emptied = purging.forget_errors(before=cut, but=kept, dry_run=dry_run)
    return [Swept("tenants_job", gone), Swept("tenants_job.last_error", emptied)]


@executes(Retention.THROTTLE, scope="platform")
def attempts(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Counts of attempts; each tick forgets them too, as soon as no window reaches back to them."""
    return [Swept("tenants_throttle", throttling.purge(now=now, dry_run=dry_run))]


@executes(Retention.RECORD, scope="platform")
def staff_record(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """What Django's admin wrote down of the platform's staff."""
    old = LogEntry.objects.filter(action_time__lt=over_before(Retention.RECORD, now))
    return [sweep(old, dry_run=dry_run)]


@executes(Retention.RECORD, scope="tenant")
@executes(Retention.RECORD, scope="platform")
def audit_record(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Events of the audit log: two years old or more, seven where they are about money. Their links stay."""
    count = audit_purging.find_old(now=now).count if dry_run else audit_purging.purge(actor=actor, now=now)
    return [Swept("audit_auditevent", count)]


@executes(Retention.RECORD, scope="tenant")
@executes(Retention.RECORD, scope="platform")
def policy_notices(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """That people were told of a change of the policy, given up on, or never got around to."""
    cut = over_before(Retention.RECORD, now)
    never = Q(sent_at__isnull=True, given_up_at__isnull=True, next_at__lt=cut)
    old = PolicyNotice.objects.filter(Q(sent_at__lt=cut) | Q(given_up_at__lt=cut) | never)
    return [sweep(old, dry_run=dry_run)]


@executes(Retention.EXPORT_FILE, scope="tenant")
@executes(Retention.EXPORT_FILE, scope="platform")
def copies(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Copies of data: file and key when they expire (a job of their own does it to the minute), and the rows.

    What was never ready goes as long after it was asked for.
    """
    due = ExportFile.objects.filter(state=ExportFile.State.READY, expires_at__lte=now)
    due = holds.without_held(due)
    unmade = Q(ready_at__isnull=True, asked_at__lt=over_before(Retention.EXPORT_FILE, now))
    over = ExportFile.objects.filter(Q(state=ExportFile.State.EXPIRED, expires_at__lte=now) | unmade)
    if dry_run:
        rows = due.count() + sweep(over, dry_run=True).count
        return [Swept("privacy_exportfile.key", due.count()), Swept("privacy_exportfile", rows)]
    gone = sum(exporting.expire(pk, actor=actor, now=now) for pk in list(due.values_list("pk", flat=True)))
    return [Swept("privacy_exportfile.key", gone), sweep(over, dry_run=False)]


@executes(Retention.BILLING, scope="tenant")
@executes(Retention.BILLING, scope="platform")
def undone_closings(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Closings that were undone. One that stands goes with its account."""
    old = Closing.objects.filter(undone_at__lt=over_before(Retention.BILLING, now))
    return [sweep(old, dry_run=dry_run)]


@executes(Retention.PROSPECT, scope="platform")
def prospects(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """What prospects wrote, with the answers, a year after the last word."""
    old = ContactMessage.objects.filter(last_word_at__lt=over_before(Retention.PROSPECT, now))
    return [sweep(old, dry_run=dry_run)]


@executes(Retention.REQUEST, scope="platform")
def requests(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Requests that were answered long ago, with all that hangs on them, and mail that was noted."""
    cut = over_before(Retention.REQUEST, now)
    over = (
        UnderageReport.objects.filter(decided_at__lt=cut),
        ReceivedMail.objects.filter(received_at__lt=cut),
        DataRequest.objects.filter(closed_at__lt=cut),
    )
    return [sweep(rows, dry_run=dry_run) for rows in over]


@executes(Retention.REQUEST, scope="tenant")
@executes(Retention.REQUEST, scope="platform")
def limits(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Restrictions and holds that were lifted, erasures that were done; those that stand stay."""
    cut = over_before(Retention.REQUEST, now)
    over = (
        Restriction.objects.filter(lifted_at__lt=cut),
        holds.lifted_before(cut),
        Erasure.objects.filter(done_at__lt=cut),
    )
    return [sweep(rows, dry_run=dry_run) for rows in over]
