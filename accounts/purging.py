"""What is over and too old to keep: sessions after 30 days, devices after 90, wishes for another address."""

from datetime import datetime

from django.contrib.sessions.models import Session as SessionData
from django.db import transaction

from accounts.models import EmailChange, KnownDevice, Session
from accounts.session_limits import DEVICE_KEPT, KEPT
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record


def purge_sessions(*, actor: Actor, now: datetime) -> int:
    """Delete what nobody can use any more; returns how many sessions. No session outlives 30 days."""
    with transaction.atomic():
        sessions, _ = Session.objects.filter(begun_at__lt=now - KEPT).delete()
        KnownDevice.objects.filter(last_seen_at__lt=now - DEVICE_KEPT).delete()
        SessionData.objects.filter(expire_date__lt=now).delete()
        stale = EmailChange.objects.filter(expires_at__lt=now - KEPT)
        (stale.filter(done_at__isnull=True) | stale.filter(undo_until__lt=now - KEPT)).delete()
        if sessions:
            record(Action.SESSIONS_PURGED, subject=("sessions", "old"), actor=actor, now=now, count=sessions)
    return sessions
