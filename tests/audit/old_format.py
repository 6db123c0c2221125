"""Events as the first versions wrote them, format 1: existing chains begin with such."""

from datetime import datetime
from typing import Any

import uuid_utils.compat
from django.db import connection

from audit.actions import Action
from audit.actors import Actor
from audit.chain import address, canonical, link, stamp, who
from audit.models import AuditEvent, ChainHead


def record_1(
    action: Action, *, subject: tuple[str, Any], actor: Actor, now: datetime, **details: Any
) -> None:
    """Append one event of format 1, in the open transaction."""
    head = ChainHead.objects.select_for_update().get()
    event_id, seq = uuid_utils.compat.uuid7(), head.seq + 1
    kind, subject_id = subject[0], str(subject[1])
    body = {
        "at": stamp(now),
        "actor": who(actor.kind, actor.id, actor.label, (actor.behind_id, actor.behind_label)),
        "from": [address(actor.ip), actor.user_agent],
        "id": str(event_id),
        "seq": seq,
        "action": action.value,
        "subject": [kind, subject_id],
        "details": details,
    }
    prev = bytes(head.hash)
    digest = link(prev, canonical(body))
    AuditEvent.objects.create(
        id=event_id, seq=seq, at=now, action=action.value, actor_kind=actor.kind, actor_id=actor.id,
        actor_label=actor.label, subject_kind=kind, subject_id=subject_id, details=details, ip=actor.ip,
        user_agent=actor.user_agent, behind_id=actor.behind_id, behind_label=actor.behind_label,
        prev_hash=prev, hash=digest, format=1,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_chainhead SET seq = %s, hash = %s", [seq, digest])
