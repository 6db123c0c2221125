"""What stands on top of every page of the staff's admin until somebody sees to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from privacy import publishing, reminding, underage
from privacy.models import UnderageReport
from tenants import checkpointing

ERASED_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One line, and where it is seen to."""

    text: str
    url: str


def alarms(*, now: datetime) -> list[Alarm]:
    """Return what must not be missed. In the platform's schema."""
    return [alarm for look in LOOKS if (alarm := look(now)) is not None]


def _overdue_requests(now: datetime) -> Alarm | None:
    count = reminding.overdue(now)
    if not count:
        return None
    what = "A request about personal data is" if count == 1 else f"{count} requests about personal data are"
    return Alarm(f"{what} overdue.", reverse("admin:privacy_datarequest_changelist"))


def _undecided_children(now: datetime) -> Alarm | None:
    count = UnderageReport.objects.filter(decided_at__isnull=True).count()
    if not count:
        return None
    what = "Somebody said" if count == 1 else f"{count} people said"
    url = reverse("admin:privacy_underagereport_changelist")
    return Alarm(f"{what} to be under 16: frozen, to be decided.", url)


def _policy_that_drifted(now: datetime) -> Alarm | None:
    said = publishing.drift(now=now)
    return Alarm(said, reverse("admin:policy_publish")) if said else None


def _children_not_erased(now: datetime) -> Alarm | None:
    count = underage.not_yet_erased(now - ERASED_WITHIN).count()
    if not count:
        return None
    what = "A child is" if count == 1 else f"{count} children are"
    url = reverse("admin:privacy_underagereport_changelist")
    return Alarm(f"{what} to be erased and still there: see what stands in the way.", url)


def _late_checkpoints(now: datetime) -> Alarm | None:
    late = checkpointing.late(now=now)
    return Alarm(late, reverse("admin:audit_auditevent_changelist")) if late else None


LOOKS: list[Callable[[datetime], Alarm | None]] = [
    _overdue_requests,
    _undecided_children,
    _policy_that_drifted,
    _children_not_erased,
    _late_checkpoints,
]
