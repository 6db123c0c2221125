"""What a person may see of their own sessions and log-ins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Q

from accounts.devices import device_of, is_handheld
from accounts.factors import SECOND
from accounts.models import Session, User
from accounts.session_limits import limits_of, over_because
from audit.actions import Action
from audit.models import AuditEvent
from audit.reading import Opened, opened

PAGE = 20
LOG_INS = (Action.USER_LOGGED_IN, Action.USER_LOGIN_FAILED)
# At the log-in: a wrong present password in one's own settings is refused by another method.
REFUSED_HALF_WAY = Q(action=Action.USER_FACTOR_REFUSED.value, details__method__in=sorted(SECOND))


@dataclass(frozen=True, slots=True)
class LogIn:
    """One try to log in: when, from where, with what, and how it went."""

    at: datetime
    device: str
    ip: str
    succeeded: bool
    half_way: bool  # the password was right, the second factor was not
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
    tried = Q(action__in=[each.value for each in LOG_INS]) | REFUSED_HALF_WAY
    events = AuditEvent.objects.filter(tried, subject_kind="user", subject_id=str(user.pk))
    page = Paginator(events.order_by("-seq"), PAGE).get_page(number)
    rows: Any = [_log_in(each) for each in opened(page.object_list)]
    page.object_list = rows
    return page


def refused_since(user: User, since: datetime) -> bool:
    """Tell whether a second factor of the user's was refused since then."""
    events = AuditEvent.objects.filter(REFUSED_HALF_WAY, subject_kind="user", subject_id=str(user.pk))
    return events.filter(at__gt=since).exists()


def _log_in(found: Opened) -> LogIn:
    return LogIn(
        at=found.event.at,
        device=device_of(found.user_agent),
        ip=found.ip,
        succeeded=found.event.action == Action.USER_LOGGED_IN,
        half_way=found.event.action == Action.USER_FACTOR_REFUSED,
        methods=", ".join(each.replace("_", " ") for each in _methods(found)),
        operator=found.details.get("operator", ""),
    )


def _methods(found: Opened) -> list[str]:
    one = found.details.get("method")
    return [one] if one else found.details.get("methods", [])


def _over(row: Session, user: User, *, now: datetime) -> str:
    return over_because(
        user.role, begun_at=row.begun_at, last_seen_at=row.last_seen_at, ends_at=row.ends_at, now=now
    )
