"""The Celery app: two tasks, one beat entry. What is to be done stands in rows, not in messages."""

import os
from uuid import UUID

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")

app = Celery("proecommerce")


def _configure() -> None:
    import django
    from django.conf import settings

    django.setup()

    app.conf.update(
        broker_url=settings.BROKER_URL,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": 3600,
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
        },
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_time_limit=1800,
        task_default_queue="jobs",
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        beat_schedule={
            "tick": {
                "task": "tenants.tick",
                "schedule": float(settings.JOB_TICK_SECONDS),
                "options": {"expires": settings.JOB_TICK_SECONDS},
            }
        },
    )


_configure()


@worker_init.connect  # type: ignore[untyped-decorator]
def read_keys(**kwargs: object) -> None:
    """Without its keys a worker does not start."""
    from vault.keyring import warm_up

    warm_up()


@app.task(name="tenants.run_jobs")  # type: ignore[untyped-decorator]
def run_jobs(ids: list[str]) -> None:
    """Run the jobs of these ids. What else a message may say is not believed: the rows tell."""
    from tenants import clock, working

    working.work_off([UUID(i) for i in ids], now=clock.now())


@app.task(name="tenants.tick")  # type: ignore[untyped-decorator]
def tick() -> None:
    """One beat of the clock."""
    from tenants import clock, working

    working.tick(now=clock.now())
