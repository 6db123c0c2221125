"""What log-ins rest on, replaced after an incident: every session ends, every mailed link is void."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.inviting import withdraw_all
from accounts.models import Session, User
from accounts.sessions import end_all
from audit.actors import Actor
from audit.recording import record_many
from privacy.rotating import rotates


@rotates("sessions", "Sessions and mailed links", on_platform=True)
def end_sessions_and_links(actor: Actor, now: datetime) -> str:
    """End all sessions of the schema; links mailed to set a password or an address or to invite are void."""
    with transaction.atomic():
        # Locked in the order of who accepts an invitation: that, the user, the user's sessions, the chain.
        withdrawn = withdraw_all(now=now)
        people = User.objects.update(link_generation=F("link_generation") + 1)
        ended = end_all(actor=actor, now=now, because=Session.Ended.CREDENTIALS)
        record_many(withdrawn, actor=actor, now=now)
    return (
        f"{ended} sessions ended; links mailed to {people} people are void; "
        f"{len(withdrawn)} invitations withdrawn: send new ones"
    )
