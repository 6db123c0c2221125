"""Whose key seals what of an event, pure; and what stands in the sealed columns."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from audit.actors import Actor

Subject = tuple[str, str]
# Kinds of actors that are no persons: what they are called is nobody's data.
NOBODY = frozenset({"system", "vendor"})
# Subjects that are somebody, and what of their details tells of them, by its name.
SOMEBODY = frozenset({"contact", "customer", "invitation", "payment_method", "user"})
TELLING = frozenset({
    "name", "business_name", "email", "phone", "address_line1", "address_line2", "city", "postal_code",
    "tax_id", "external_id", "last4", "brand", "ip", "user_agent",
})  # fmt: skip
STAFF = "staff"
VISITOR = "visitor"


def person_of(kind: str, actor_id: str, at: datetime) -> Subject | None:
    """Return by whose key an actor is sealed; whoever we do not know by name shares a key with a month."""
    if kind in NOBODY:
        return None
    return (kind, actor_id) if actor_id else (VISITOR, at.astimezone(UTC).strftime("%Y-%m"))


def plainly_told(details: object) -> set[str]:
    """Return what in an event's plain details belongs under somebody's key, by its names."""
    if isinstance(details, Mapping):
        inner = [plainly_told(value) for value in details.values()]
        return {name for name in details if name in TELLING}.union(*inner)
    if isinstance(details, list | tuple):
        return set().union(*map(plainly_told, details))
    return set()


def staff_of(behind_id: str) -> Subject:
    """Return by whose key the one behind an actor is sealed."""
    return STAFF, behind_id or "unknown"


def traits_of(actor: Actor) -> dict[str, Any]:
    """Return what is personal of an actor, without what is empty."""
    traits = {"label": actor.label[:254], "ip": actor.ip, "agent": actor.user_agent[:400]}
    return {name: value for name, value in traits.items() if value}


def use(event_id: object, part: str) -> str:
    """Return the context of a sealed column: it opens in its own event and place only."""
    return f"audit:{event_id}:{part}"


def written(subject: Subject) -> str:
    """Return a subject as `AuditEvent.about` has it."""
    return ":".join(subject)


def read(about: str) -> Subject:
    """Return the subject that `AuditEvent.about` names."""
    kind, _, subject_id = about.partition(":")
    return kind, subject_id
