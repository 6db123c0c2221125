"""The Celery app: two tasks, one beat entry. What is to be done stands in rows, not in messages."""

import logging
import os
from typing import Any
from uuid import UUID

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")

log = logging.getLogger(__name__)
app = Celery("proecommerce")
# For every thread of the web server too: celery.current_app would be an unconfigured one there.
app.set_default()


@app.add_defaults  # type: ignore[untyped-decorator]
def configuration() -> dict[str, Any]:
    """Return the configuration; read when it is first needed, with Django's settings at hand."""
    from django.conf import settings

    return {
        "broker_url": settings.BROKER_URL,
        "broker_connection_retry_on_startup": True,
        "broker_connection_timeout": 1,
        "broker_transport_options": {
            "visibility_timeout": 3600,
            "socket_timeout": 2,
            "socket_connect_timeout": 1,
            # Nobody waits for a broker that is down: the row is written, the sweep publishes it.
            "max_retries": 0,
            "interval_start": 0,
            "connect_retries_timeout": 1,
        },
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_time_limit": 1800,
        "task_default_queue": "jobs",
        "worker_prefetch_multiplier": 1,
        "worker_hijack_root_logger": False,
        "beat_schedule": {
            "tick": {
                "task": "tenants.tick",
                "schedule": float(settings.JOB_TICK_SECONDS),
                "options": {"expires": settings.JOB_TICK_SECONDS},
            }
        },
    }


@worker_init.connect  # type: ignore[untyped-decorator]
def get_ready(**kwargs: object) -> None:
    """Without its keys a worker does not start. Celery logs what a signal's receiver raises, and goes on."""
    from proecommerce.starting import start
    from vault.errors import VaultError

    try:
        start()
    except VaultError as error:
        raise SystemExit(str(error)) from error


@app.task(name="tenants.run_jobs")  # type: ignore[untyped-decorator]
def run_jobs(ids: list[str]) -> None:
    """Run the jobs of these ids. What else a message may say is not believed: the rows tell."""
    from django.db import connection

    from tenants import clock, working

    _, left = working.work_off_together(_job_ids(ids), now=clock.now())
    for each in left:
        # The clock is read for each: a lease counts from when the job is taken, not the message.
        working.work_off([each], now=clock.now())
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()


def _job_ids(ids: object) -> list[UUID]:
    """What in a message has the form of job ids; anybody who reaches the broker may have written it."""
    found = []
    for each in ids if isinstance(ids, list) else []:
        try:
            found.append(UUID(each))
        except (ValueError, TypeError, AttributeError):
            log.warning("a message names %r, which is no job id", str(each)[:80])
    return found


@app.task(name="tenants.tick")  # type: ignore[untyped-decorator]
def tick() -> None:
    """One beat of the clock."""
    from tenants import clock, working

    working.tick(now=clock.now())
