"""What a person may see of their own sessions and log-ins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator

from accounts.devices import device_of, is_handheld
from accounts.models import Session, User
from accounts.session_limits import limits_of, over_because
from audit.actions import Action
from audit.models import AuditEvent
from audit.reading import Opened, opened

PAGE = 20
LOG_INS = (Action.USER_LOGGED_IN, Action.USER_LOGIN_FAILED)


@dataclass(frozen=True, slots=True)
class LogIn:
    """One try to log in: when, from where, with what, and how it went."""

    at: datetime
    device: str
    ip: str
    succeeded: bool
    methods: str
    operator: str


def living_of(user: User, *, now: datetime) -> list[Session]:
    """Return the user's sessions that are not over, the one used last first."""
    rows = Session.objects.filter(user=user, ended_at__isnull=True).order_by("-last_seen_at", "-pk")
    return [row for row in rows if not _over(row, user, now=now)]


def shown(row: Session, *, here: Session | None) -> dict[str, Any]:
    """Return what a page says of the session."""
    ends = row.begun_at + limits_of(row.user.role).absolute
    return {
        "id": row.pk,
        "device": row.device,
        "handheld": is_handheld(row.device),
        "ip": row.ip or "",
        "begun_at": row.begun_at,
        "last_seen_at": row.last_seen_at,
        "ends_at": min(ends, row.ends_at) if row.ends_at else ends,
        "operator": row.operator_label,
        "here": here is not None and row.pk == here.pk,
    }


def log_ins_of(user: User, number: str | None) -> "Page[AuditEvent]":
    """Return a page of the user's log-ins, failed ones too, the latest first; its rows are `LogIn`s."""
    events = AuditEvent.objects.filter(
        subject_kind="user", subject_id=str(user.pk), action__in=[each.value for each in LOG_INS]
    )
    page = Paginator(events.order_by("-seq"), PAGE).get_page(number)
    rows: Any = [_log_in(each) for each in opened(page.object_list)]
    page.object_list = rows
    return page


def _log_in(found: Opened) -> LogIn:
    return LogIn(
        at=found.event.at,
        device=device_of(found.user_agent),
        ip=found.ip,
        succeeded=found.event.action == Action.USER_LOGGED_IN,
        methods=", ".join(each.replace("_", " ") for each in found.details.get("methods", [])),
        operator=found.details.get("operator", ""),
    )


def _over(row: Session, user: User, *, now: datetime) -> str:
    return over_because(
        user.role, begun_at=row.begun_at, last_seen_at=row.last_seen_at, ends_at=row.ends_at, now=now
    )
