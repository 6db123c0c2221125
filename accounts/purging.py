"""What is over and too old to keep: sessions, devices, invitations, wishes for another address, old visits.

How long each is kept stands in `privacy.periods`. Nothing that can still be used goes: no session outlives
30 days, an address may be changed back for seven.
"""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.sessions.models import Session as SessionData
from django.db.models import Q

from accounts.models import (
    EmailChange,
    FactorReset,
    Invitation,
    KnownDevice,
    PasskeyChallenge,
    Session,
    Visit,
)
from audit.actors import Actor
from privacy.holds import without_held
from privacy.inventory import Retention
from privacy.retention import Swept, executes, over_before
from privacy.sweeping import sweep


@executes(Retention.SESSION, scope="tenant")
@executes(Retention.SESSION, scope="platform")
def sessions(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Sessions and what was stored in them; the latter too when it is used no more."""
    old = Session.objects.filter(begun_at__lt=over_before(Retention.SESSION, now))
    theirs = Q(session_key__in=without_held(old).values("key_hash"))
    data = SessionData.objects.filter(theirs | Q(expire_date__lt=now))
    return [sweep(data, dry_run=dry_run), sweep(old, dry_run=dry_run)]


@executes(Retention.DEVICE, scope="tenant")
@executes(Retention.DEVICE, scope="platform")
def devices(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Devices that nobody has logged in from for long."""
    cut = over_before(Retention.DEVICE, now)
    return [sweep(KnownDevice.objects.filter(last_seen_at__lt=cut), dry_run=dry_run)]


@executes(Retention.EMAIL_CHANGE, scope="tenant")
@executes(Retention.EMAIL_CHANGE, scope="platform")
def email_changes(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Wishes for another address that nothing can come of any more, nor be undone."""
    cut = over_before(Retention.EMAIL_CHANGE, now)
    stale = Q(expires_at__lt=cut) & (Q(done_at__isnull=True) | Q(undo_until__lt=cut))
    return [sweep(EmailChange.objects.filter(stale), dry_run=dry_run)]


@executes(Retention.INVITATION, scope="tenant")
@executes(Retention.INVITATION, scope="platform")
def invitations(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Invitations, accepted or not."""
    cut = over_before(Retention.INVITATION, now)
    return [sweep(Invitation.objects.filter(expires_at__lt=cut), dry_run=dry_run)]


@executes(Retention.CHALLENGE, scope="tenant")
@executes(Retention.CHALLENGE, scope="platform")
def challenges(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """What passkeys were asked to sign and did not."""
    cut = over_before(Retention.CHALLENGE, now)
    return [sweep(PasskeyChallenge.objects.filter(expires_at__lt=cut), dry_run=dry_run)]


@executes(Retention.RECORD, scope="tenant")
@executes(Retention.RECORD, scope="platform")
def staff_doings(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Visits of the platform's staff, and second factors that they took away: those that are over."""
    cut = over_before(Retention.RECORD, now)
    visited = (
        Q(ended_at__lt=cut)
        | Q(ended_at__isnull=True, ends_at__lt=cut)
        | Q(begun_at__isnull=True, created_at__lt=cut)
    )
    resets = FactorReset.objects.filter(Q(done_at__lt=cut) | Q(cancelled_at__lt=cut))
    return [sweep(Visit.objects.filter(visited), dry_run=dry_run), sweep(resets, dry_run=dry_run)]
