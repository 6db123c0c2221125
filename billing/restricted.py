"""What a restriction of processing means for billing: the next run is planned anew at both its ends."""

from datetime import datetime

from billing import planning
from privacy.restricting import when_changed
from privacy.subjects import Subject
from tenants.context import in_public


@when_changed
def plan_anew(subject: Subject, now: datetime) -> None:
    """Leave the restricted customer out of the plan; what fell due meanwhile is billed after its end."""
    if subject.kind == "customer" and not in_public():
        planning.replan(now=now)
