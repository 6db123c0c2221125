"""Jobs are rows: asked for in the transaction of the change, published on commit, claimed by a worker.

The broker carries ids only and may be emptied at any moment: `tenants.working.sweep` publishes again what
waits. Handlers register under a name; rules ask for them by that name.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import connection, transaction

from tenants import clock
from tenants.context import current_schema, current_tenant, in_public
from tenants.errors import JobUnknown
from tenants.ids import new_id

log = logging.getLogger(__name__)

IDS_A_MESSAGE = 20
TASK = "tenants.run_jobs"


Together = Callable[[Sequence[Mapping[str, Any]]], Sequence[bool]]


@dataclass(frozen=True, slots=True)
class Handler:
    """What runs a job. `outside`: it calls the world, so no transaction is held around it.

    `together` may do several jobs of one tenant at once; it returns which of them it has done.
    """

    name: str
    run: Callable[..., None]
    outside: bool
    together: Together | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A job to be written: `key` makes it happen once for this tenant; `run_at` None means now."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    run_at: datetime | None = None
    key: str | None = None


_handlers: dict[str, Handler] = {}
_planners: list[Callable[[datetime], None]] = []


def job(name: str, *, outside: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the decorated function as the handler of jobs called `name`."""

    def register(run: Callable[..., None]) -> Callable[..., None]:
        if name in _handlers:
            raise ValueError(f"Two handlers for the job {name!r}.")
        _handlers[name] = Handler(name, run, outside)
        return run

    return register


def together(name: str) -> Callable[[Together], Together]:
    """Register the decorated function to do several jobs called `name` at once; they are `outside` ones."""

    def register(run: Together) -> Together:
        _handlers[name] = replace(handler_of(name), together=run)
        return run

    return register


def names_done_together() -> Sequence[str]:
    """Return the names of the jobs that may be done several at once."""
    return [handler.name for handler in _handlers.values() if handler.together is not None]


def planner(plan: Callable[[datetime], None]) -> Callable[[datetime], None]:
    """Register the decorated function to be called by each tick, in the shared schema, with the time."""
    _planners.append(plan)
    return plan


def handler_of(name: str) -> Handler:
    """Return the handler registered under `name`; raises `JobUnknown`."""
    try:
        return _handlers[name]
    except KeyError:
        raise JobUnknown(f"No handler is registered for the job {name!r}.") from None


def job_names() -> Sequence[str]:
    """Return the names of all registered jobs."""
    return sorted(_handlers)


def planners() -> Sequence[Callable[[datetime], None]]:
    """Return what each tick calls."""
    return tuple(_planners)


def enqueue(
    name: str,
    *,
    run_at: datetime | None = None,
    key: str | None = None,
    schema: str | None = None,
    **args: Any,
) -> None:
    """Write one job for the tenant entered, in the open transaction; publish it on commit.

    `schema` names another tenant and is for the platform's own schema only. A second job with the same
    `key` is not written.
    """
    enqueue_many([Asked(name, args, run_at, key)], schema=schema)


def enqueue_many(asked: Sequence[Asked], *, schema: str | None = None) -> None:
    """Write jobs in one statement, in the open transaction; publish them on commit."""
    if not asked:
        return
    for each in asked:
        handler_of(each.name)
    if schema is not None and not in_public():
        raise ValueError("Only the platform's own schema may ask for another tenant's jobs.")
    now = clock.now()
    ids = [new_id() for _ in asked]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tenants_job (id, schema_name, name, args, key, state, attempts, run_at,"
            " published_at, last_error, created_at)"
            " SELECT id, %s, name, args::jsonb, key, 'waiting', 0, run_at,"
            " CASE WHEN run_at <= %s THEN now() END, '', %s"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])"
            " AS asked (id, name, args, key, run_at)"
            " ON CONFLICT (schema_name, key) WHERE key IS NOT NULL DO NOTHING RETURNING id, run_at",
            [
                schema or current_schema(),
                now,
                now,
                ids,
                [each.name for each in asked],
                [json.dumps(dict(each.args)) for each in asked],
                [each.key for each in asked],
                [each.run_at or now for each in asked],
            ],
        )
        due = [row[0] for row in cursor.fetchall() if row[1] <= now]
    if due and not _in_rehearsal():
        transaction.on_commit(lambda: publish(due))


def publish(ids: Sequence[UUID]) -> None:
    """Tell the workers of these jobs. Never raises: what the broker does not take is swept up later."""
    for start in range(0, len(ids), IDS_A_MESSAGE):
        try:
            current_app.send_task(
                TASK, args=[[str(i) for i in ids[start : start + IDS_A_MESSAGE]]], retry=False
            )
        except Exception as error:  # the broker may fail in any way; the rows are safe
            log.warning("broker does not answer (%s): jobs wait for the sweep", type(error).__name__)
            return


def _in_rehearsal() -> bool:
    return not in_public() and current_tenant().is_rehearsal
