"""Lawful requests of authorities: what is handed out, to whom and on what basis, is on record."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy.errors import Refused
from privacy.models import Disclosure
from tenants.context import enter_public


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """Who asked, and exactly what they get: each row or field on a line of its own, and the file's hash."""

    authority: str
    reference: str
    basis: str
    received_on: date
    about: str
    disclosed: str
    file_name: str
    file_sha256: str


# What each field is called, where it is missing.
WORDS = {
    "authority": "Name the authority that asks.",
    "reference": "Give the authority's own reference: the number of the order or file.",
    "basis": "Name the basis: which law or order obliges us. Without one nothing is disclosed.",
    "about": "Say whom it is about.",
    "disclosed": "List exactly what is disclosed, a line for each row or field.",
    "file_sha256": "Add the file that is handed out; only its hash is kept.",
}


def disclose(what: HandedOut, *, actor: Actor, now: datetime) -> Disclosure:
    """Put a disclosure on record, for ever; raises `Refused` when something of it is missing."""
    for name, words in WORDS.items():
        if not str(getattr(what, name)).strip():
            raise Refused(words)
    if what.received_on > now.date():
        raise Refused("The request cannot have come after today.")
    with enter_public(), transaction.atomic():
        made = Disclosure.objects.create(
            authority=what.authority.strip(),
            reference=what.reference.strip(),
            basis=what.basis.strip(),
            received_on=what.received_on,
            about=what.about.strip(),
            disclosed=what.disclosed.strip(),
            file_name=what.file_name,
            file_sha256=what.file_sha256,
            decided_id=actor.id,
            decided_by=actor.label[:254],
            disclosed_at=now,
        )
        record(
            Action.DISCLOSURE_RECORDED, subject=("disclosure", made.pk), actor=actor, now=now,
            file_sha256=made.file_sha256, reference=made.reference,
        )  # fmt: skip
    return made
