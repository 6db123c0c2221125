"""Doing jobs: claim under a lease, run in the tenant that the row names, mark done with the work itself."""

import json
import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from tenants.context import Public, Schema, enter, enter_public
from tenants.directory import tenant_of_schema
from tenants.errors import ParkNow
from tenants.jobs import IDS_A_MESSAGE, handler_of, names_done_together, planners, publish
from tenants.models import Job
from tenants.postgresql.base import PUBLIC

log = logging.getLogger(__name__)

# Seconds before the next attempt; after the last one the job is parked for a person (about two days in all).
BACKOFF = (10, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200, 43200)
SWEEP_AT_MOST = 2000
TICK_LOCK = 0x70726F65  # "proe"


class LeaseLost(RuntimeError):
    """Somebody else has claimed the job meanwhile; what this attempt did is rolled back."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is ours until the lease ends; the attempt number fences off earlier claimants."""

    id: UUID
    schema_name: str
    name: str
    args: dict[str, Any]
    attempt: int


def work_off(ids: Sequence[UUID], *, now: datetime) -> int:
    """Run each of these jobs that is still waiting; returns how many this call has done."""
    done = 0
    for start in range(0, len(ids), IDS_A_MESSAGE):
        together, left = work_off_together(ids[start : start + IDS_A_MESSAGE], now=now)
        done += together + sum(_work_off_one(job_id, now=now) for job_id in left)
    return done


def work_off_together(ids: Sequence[UUID], *, now: datetime) -> tuple[int, list[UUID]]:
    """Do those of the jobs that may be done several at once; returns how many were done, and what is left."""
    if len(ids) < 2:
        return 0, list(ids)
    claims = claim_together(ids, now=now)
    taken = {claim.id for claim in claims}
    return _run_together(claims, now=now), [job_id for job_id in ids if job_id not in taken]


def _work_off_one(job_id: UUID, *, now: datetime) -> bool:
    claim = claim_job(job_id, now=now)
    return claim is not None and _run(claim, now=now)


def _run_together(claims: Sequence[Claim], *, now: datetime) -> int:
    """Have each tenant's jobs of one name done at once; what is not done so is done one by one."""
    groups: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        groups.setdefault((claim.schema_name, claim.name), []).append(claim)
    done = 0
    for (schema_name, name), group in groups.items():
        finished = [False] * len(group)
        try:
            handler = handler_of(name)
            assert handler.together is not None
            with enter(_schema(schema_name)):
                finished = list(handler.together([claim.args for claim in group]))
        except Exception:
            log.exception("jobs %s are done one by one", name)
        done += _mark_all_done([c for c, is_done in zip(group, finished, strict=True) if is_done], now=now)
        done += sum(_run(c, now=now) for c, is_done in zip(group, finished, strict=True) if not is_done)
    return done


def _run(claim: Claim, *, now: datetime) -> bool:
    try:
        handler = handler_of(claim.name)
        with enter(_schema(claim.schema_name)):
            if handler.outside:
                handler.run(**claim.args)
                with transaction.atomic():
                    _mark_done(claim, now=now)
            else:
                with transaction.atomic():
                    handler.run(**claim.args)
                    _mark_done(claim, now=now)
    except LeaseLost:
        log.warning("job %s %s: lease lost, another attempt has it", claim.name, claim.id)
        return False
    except Exception as error:
        log.exception("job %s %s failed", claim.name, claim.id)
        put_back(claim, error=error, now=now)
        return False
    return True


def claim_job(job_id: UUID, *, now: datetime) -> Claim | None:
    """Take the job if it waits and is due; commits at once, so that a crash cannot hide the attempt."""
    with enter_public(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_job SET state = 'running', attempts = attempts + 1, leased_until = %s WHERE id ="
            " (SELECT id FROM tenants_job WHERE id = %s AND state = 'waiting' AND run_at <= %s"
            "  FOR UPDATE SKIP LOCKED)"
            " RETURNING id, schema_name, name, args::text, attempts",
            [now + timedelta(seconds=settings.JOB_LEASE_SECONDS), job_id, now],
        )
        row = cursor.fetchone()
    return None if row is None else Claim(row[0], row[1], row[2], json.loads(row[3]), row[4])


def claim_together(ids: Sequence[UUID], *, now: datetime) -> list[Claim]:
    """Take those of the jobs that may be done several at once, wait and are due; commits at once."""
    with enter_public(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_job SET state = 'running', attempts = attempts + 1, leased_until = %s WHERE id IN"
            " (SELECT id FROM tenants_job WHERE id = ANY(%s) AND name = ANY(%s) AND state = 'waiting'"
            "  AND run_at <= %s FOR UPDATE SKIP LOCKED)"
            " RETURNING id, schema_name, name, args::text, attempts",
            [
                now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
                list(ids),
                list(names_done_together()),
                now,
            ],
        )
        return [Claim(row[0], row[1], row[2], json.loads(row[3]), row[4]) for row in cursor.fetchall()]


def put_back(claim: Claim, *, error: BaseException, now: datetime) -> None:
    """Let the job wait for its next attempt; park it after the last, or at once when it asks for that."""
    text = "".join(traceback.format_exception(error))[-4000:]
    parked = claim.attempt > len(BACKOFF) or isinstance(error, ParkNow)
    changes: dict[str, Any] = {"leased_until": None, "last_error": text.replace("\0", "")}
    if parked:
        changes["state"] = Job.State.PARKED
        log.error("job %s %s is parked after %d attempts", claim.name, claim.id, claim.attempt)
    else:
        wait = timedelta(seconds=BACKOFF[claim.attempt - 1])
        changes |= {"state": Job.State.WAITING, "run_at": now + wait, "published_at": None}
    with enter_public():
        _ours(claim).update(**changes)


def sweep(*, now: datetime) -> int:
    """Publish again what is due and nobody has claimed; returns how many. The broker may have lost them."""
    with enter_public(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_job SET published_at = %s WHERE id IN ("
            " SELECT j.id FROM tenants_job j WHERE j.state = 'waiting' AND j.run_at <= %s"
            " AND (j.published_at IS NULL OR j.published_at < %s)"
            " AND NOT EXISTS (SELECT 1 FROM tenants_tenant t"
            "                 WHERE t.schema_name = j.schema_name AND t.is_rehearsal)"
            " ORDER BY j.run_at LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id",
            [now, now, now - timedelta(seconds=settings.JOB_REPUBLISH_SECONDS), SWEEP_AT_MOST],
        )
        ids = [row[0] for row in cursor.fetchall()]
    publish(ids)
    return len(ids)


def watch(*, now: datetime) -> int:
    """Free the jobs whose worker died: their lease is over. Returns how many."""
    freed = 0
    with enter_public():
        for job in Job.objects.filter(state=Job.State.RUNNING, leased_until__lt=now)[:SWEEP_AT_MOST]:
            claim = Claim(job.id, job.schema_name, job.name, job.args, job.attempts)
            put_back(claim, error=TimeoutError("the worker did not come back"), now=now)
            freed += 1
    return freed


def put_back_unfinished(schema_name: str) -> int:
    """Free what an interrupted rehearsal was at; nobody else works on its jobs. Returns how many."""
    running = Job.objects.filter(schema_name=schema_name, state=Job.State.RUNNING)
    return running.update(state=Job.State.WAITING, leased_until=None, attempts=0)


def tick(*, now: datetime) -> bool:
    """What beat does, and all that it does. Two at once: the second leaves at once and returns False."""
    with enter_public(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [TICK_LOCK])
            row = cursor.fetchone()
            if row is None or not row[0]:
                return False
        watch(now=now)
        for plan in planners():
            try:
                with transaction.atomic():
                    plan(now)
            except Exception:  # one planner's trouble holds up neither the others nor the sweep
                log.exception("planner %s.%s failed", plan.__module__, plan.__qualname__)
    sweep(now=now)
    return True


def _ours(claim: Claim) -> Any:
    return Job.objects.filter(pk=claim.id, state=Job.State.RUNNING, attempts=claim.attempt)


def _mark_done(claim: Claim, *, now: datetime) -> None:
    if not _ours(claim).update(state=Job.State.DONE, leased_until=None, done_at=now, last_error=""):
        raise LeaseLost(str(claim.id))


def _mark_all_done(claims: Sequence[Claim], *, now: datetime) -> int:
    """Mark those that are still ours; the others have been claimed anew and find their work done."""
    if not claims:
        return 0
    with enter_public(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_job j SET state = 'done', leased_until = NULL, done_at = %s, last_error = ''"
            " FROM unnest(%s::uuid[], %s::int[]) AS ours (id, attempts)"
            " WHERE j.id = ours.id AND j.attempts = ours.attempts AND j.state = 'running'",
            [now, [claim.id for claim in claims], [claim.attempt for claim in claims]],
        )
        return int(cursor.rowcount)


def _schema(schema_name: str) -> Schema:
    if schema_name == PUBLIC:
        return Public()
    return tenant_of_schema(schema_name)
