"""The jobs of running the platform, in the shared schema: keeping the log of requests, and watching it."""

from datetime import datetime

from django.conf import settings

from audit.actors import Actor
from operations import alerting, keeping, patterns, queries
from operations.mails import alerts_mail
from operations.models import Alert
from tenants import clock
from tenants.jobs import enqueue, job, planner
from tenants.mail import send


@job("operations.keep_log")
def keep_log(**_: str) -> None:
    """Make the log's next partitions and drop those that are too old."""
    keeping.keep_request_log(actor=Actor.system("retention"), now=clock.now())


@job("operations.watch")
def watch(**_: str) -> None:
    """Look for abuse in the requests of the last minutes."""
    now = clock.now()
    seen = queries.busy(now=now), queries.groping(now=now), queries.failures(now=now)
    alerting.look_into(patterns.find(*seen, now=now), actor=Actor.system("abuse watch"), now=now)


@job("operations.mail_alerts", outside=True)
def mail_alerts(**_: str) -> None:
    """Tell the platform of the alerts that it has not been told of and that nobody has acknowledged."""
    waiting = Alert.objects.filter(mailed_at__isnull=True, acknowledged_at__isnull=True).order_by("raised_at")
    rows = list(waiting)
    if not rows:
        return
    told = rows[: alerting.MAIL_MOST]
    lines = [
        f"{each.get_kind_display()}: {each.count} within {each.window_seconds} seconds"
        f"{f' at {each.schema_name}' if each.schema_name else ''}"
        for each in told
    ]
    mail = alerts_mail(
        lines=lines, more=len(rows) - len(told), url=f"{settings.SITE_URL}/admin/operations/alert/"
    )
    send(mail, to=settings.DEFAULT_FROM_EMAIL, from_name="ProEcommerce")
    Alert.objects.filter(pk__in=[each.pk for each in rows]).update(mailed_at=clock.now())


@planner
def plan(now: datetime) -> None:
    """Ask once an hour for the log to be kept, once a minute for it to be watched."""
    enqueue("operations.keep_log", key=f"keep_log:{now:%Y-%m-%dT%H}")
    enqueue("operations.watch", key=f"watch:{now:%Y-%m-%dT%H:%M}")
