"""The log of requests under the rule of retention: its own job comes by each hour, this run besides."""

from datetime import datetime

from audit.actors import Actor
from operations import keeping
from privacy.inventory import Retention
from privacy.retention import Swept, executes


@executes(Retention.REQUEST_LOG, scope="platform")
def requests(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Requests and alerts, whole days in UTC."""
    due, alerts = keeping.overdue(now=now)
    if (due or alerts) and not dry_run:
        keeping.keep_request_log(actor=actor, now=now)
    return [Swept("operations_requestlog", due), Swept("operations_alert", alerts)]
