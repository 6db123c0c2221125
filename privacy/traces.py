"""What is left of a person beside the rows about them: copies of their data, jobs, errors that name them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.db import connection, transaction

from audit.actors import Actor
from privacy import exporting, files_gateway, inventory
from privacy.erasing import also, within
from privacy.inventory import Erasure as Treatment
from privacy.models import ExportFile
from privacy.planning import ids_about, rows_of
from privacy.subjects import Subject
from tenants.context import current_schema, enter_public, in_public
from tenants.models import Job

SHORTEST = 4  # shorter values stand in many texts, and tell of nobody
ERASER = Actor.system("erasure")
NAMELESS = "Somebody who has been erased"
FORGOTTEN = "This error named somebody who has been erased."
_DROP = (
    "DELETE FROM tenants_job j WHERE j.schema_name = %s AND j.state IN ('waiting', 'parked')"
    " AND j.name NOT LIKE 'privacy.%%'"
    " AND EXISTS (SELECT 1 FROM jsonb_each_text(j.args) a WHERE a.value = ANY(%s))"
)


@also("copies of data")
def delete_copies(subjects: Sequence[Subject], now: datetime) -> int:
    """Delete the files of copies about these people that wait to be fetched. Talks to S3."""
    theirs = [
        each for each in ExportFile.objects.all() if Subject(each.subject_kind, each.subject_id) in subjects
    ]
    ready = [each for each in theirs if each.is_ready]
    for each in ready:
        files_gateway.bucket().delete(exporting.place_of(each))
    for each in theirs:
        exporting.forget_progress(each.pk)
    return len(ready)


@within
def expire_copies_of_all(subjects: Sequence[Subject], now: datetime) -> dict[str, int]:
    """Let go of complete copies of the workspace, in the making too: these people are in them."""
    if in_public():
        return {}
    return {"copies of the workspace": exporting.expire_at_once(exporting.workspace(), actor=ERASER, now=now)}


@within
def forget_names_in_the_admins_log(subjects: Sequence[Subject], now: datetime) -> dict[str, int]:
    """Take their names out of the list of what the platform's staff changed."""
    if not in_public():
        return {}
    entries = LogEntry.objects.filter(object_id__in=[each.id for each in subjects])
    return {"django_admin_log": entries.update(object_repr=NAMELESS)}


@within
def drop_queued(subjects: Sequence[Subject], now: datetime) -> dict[str, int]:
    """Drop jobs, mails too, that wait for something of these people; forget errors with their names."""
    schema, ids, values = current_schema(), ids_about(subjects), _values(subjects)
    with enter_public(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_DROP, [schema, ids])
            dropped = int(cursor.rowcount)
        failed = Job.objects.filter(schema_name=schema).exclude(last_error="")
        naming = [pk for pk, text in failed.values_list("pk", "last_error") if _names(text, ids, values)]
        Job.objects.filter(pk__in=naming).update(last_error=FORGOTTEN)
    return {"tenants_job": dropped, "tenants_job.last_error": len(naming)}


def _names(text: str, ids: Iterable[str], values: Iterable[str]) -> bool:
    low = text.casefold()
    return any(each in low for each in (*ids, *values))


def _values(subjects: Sequence[Subject]) -> list[str]:
    """Return the texts that go: names, addresses, numbers."""
    found: set[str] = set()
    for holding in inventory.holdings():
        names = [
            name
            for name, data in holding.personal.items()
            if data.erasure in (Treatment.ROW, Treatment.BLANK)
        ]
        rows = rows_of(holding, subjects)
        for values in rows.values_list(*names) if rows is not None and names else ():
            found |= {each.casefold() for each in values if isinstance(each, str) and len(each) >= SHORTEST}
    return sorted(found)
