"""Raising alerts from what was found, and acknowledging them: in the shared schema."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Max

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from operations.models import Alert
from operations.patterns import BANNED, Finding
from tenants import security_log
from tenants.jobs import enqueue

MAIL_MINUTES: Final = 15  # at most one mail in these
MAIL_MOST: Final = 50  # alerts in one


class NoteNeeded(ValueError):
    """Whoever acknowledges an alert says what came of it."""


def look_into(found: Sequence[Finding], *, actor: Actor, now: datetime) -> list[Alert]:
    """Raise an alert for each finding that has none open, bring the others up to date; returns the new ones.

    What was seen before an alert of the same kind was acknowledged raises none. Has the platform mailed.
    """
    told, raised = [], []
    with transaction.atomic():
        for each in found:
            alert, is_new = _raise(each, actor=actor, now=now)
            if alert is not None:
                told.append(each)
            if alert is not None and is_new:
                raised.append(alert)
        if Alert.objects.filter(mailed_at__isnull=True, acknowledged_at__isnull=True).exists():
            enqueue("operations.mail_alerts", key=f"alerts:{_quarter(now)}")
    for each in told:
        _tell(each)
    return raised


def acknowledge(alert: Alert, *, note: str, actor: Actor, now: datetime) -> bool:
    """Note who has looked at it and what came of it; False when somebody already has."""
    said = " ".join(note.split())
    if not said:
        raise NoteNeeded("Write what you found, or what you did about it.")
    with transaction.atomic():
        locked = Alert.objects.select_for_update().filter(pk=alert.pk, acknowledged_at__isnull=True).first()
        if locked is None:
            return False
        locked.acknowledged_at, locked.acknowledged_by, locked.note = now, actor.label[:254], said[:500]
        locked.save(update_fields=["acknowledged_at", "acknowledged_by", "note"])
        record(
            Action.ALERT_ACKNOWLEDGED, subject=("alert", locked.pk), actor=actor, now=now,
            kind=locked.kind, note=locked.note,
        )  # fmt: skip
    return True


def _raise(each: Finding, *, actor: Actor, now: datetime) -> tuple[Alert | None, bool]:
    """Return the alert of this finding and whether it is new; nothing when nothing new was seen."""
    same = Alert.objects.filter(kind=each.kind, network=each.network, account_mark=each.account)
    settled = same.aggregate(at=Max("acknowledged_at"))["at"]
    if settled is not None and each.last <= settled:
        return None, False
    schema = each.schemas[0] if len(each.schemas) == 1 else ""
    alert, is_new = same.get_or_create(
        acknowledged_at=None,
        defaults={
            "kind": each.kind, "network": each.network, "account_mark": each.account, "schema_name": schema,
            "count": each.count, "window_seconds": each.seconds, "first_seen": each.first,
            "last_seen": each.last, "raised_at": now,
        },
    )  # fmt: skip
    if is_new:
        after = {"kind": each.kind, "count": each.count, "seconds": each.seconds, "tenant": schema}
        record(Action.ALERT_RAISED, subject=("alert", alert.pk), actor=actor, now=now, after=after)
        return alert, True
    if each.last <= alert.last_seen:
        return None, False
    alert.last_seen, alert.count = each.last, max(each.count, alert.count)
    alert.schema_name = alert.schema_name if alert.schema_name == schema else ""
    alert.save(update_fields=["last_seen", "count", "schema_name"])
    return alert, False


def _tell(each: Finding) -> None:
    """Say it to whoever reads the guard's log; fail2ban bans for the kinds of BANNED (deploy/fail2ban)."""
    said = {
        "kind": each.kind, "count": str(each.count), "seconds": str(each.seconds),
        "may_ban": "yes" if each.kind in BANNED else "no",
    }  # fmt: skip
    security_log.tell("abuse", each.address or None, **said)


def _quarter(now: datetime) -> str:
    return now.replace(minute=now.minute - now.minute % MAIL_MINUTES).strftime("%Y-%m-%dT%H:%M")
