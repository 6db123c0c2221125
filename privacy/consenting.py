"""Consent to news and offers: given, withdrawn, and whether it stands. Rows are only ever added.

What was shown is kept word for word, and the person's address at that time sealed under their key; a keyed
hash of it stays for ever, so that after an erasure whoever names the address can still be answered (R6).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.crypto import salted_hmac

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import reading
from privacy.errors import Refused
from privacy.models import Consent, ConsentText, KeptConsent
from privacy.restricting import Processing, allows
from privacy.subjects import Subject, known
from tenants.context import current_tenant, in_public
from vault import subject_keys

MARKETING: Final = Consent.Purpose.MARKETING
CONTEXT: Final = "privacy.consent"
TEXT: Final = (
    "{business} may mail me news and offers. I can stop that at any time, here or by the link in each such "
    "mail; what was sent before stays lawful. Invoices and other mail about my account come either way."
)


def text_shown() -> str:
    """The words that the person sees beside the choice."""
    return TEXT.format(business="ProEcommerce" if in_public() else current_tenant().name)


def mark_of(address: str) -> str:
    """The keyed hash by which an address is found again once it is erased."""
    return salted_hmac(CONTEXT, address.strip().lower(), algorithm="sha256").hexdigest()


def give(subject: Subject, *, how: str, actor: Actor, now: datetime) -> Consent:
    """Record that the person wants news and offers; `how` names the place where they said so."""
    return _choose(subject, True, how=how, actor=actor, now=now)


def withdraw(subject: Subject, *, how: str, actor: Actor, now: datetime) -> Consent | None:
    """Record that they do not (any more); None where no consent stands. It counts from this moment on."""
    last = latest(subject)
    if last is None or not last.given:
        return None
    return _choose(subject, False, how=how, actor=actor, now=now)


def latest(subject: Subject) -> Consent | None:
    """Return the last choice, which is the one in force."""
    return _of(subject).first()


def history(subject: Subject) -> Sequence[Consent]:
    """Return every choice with what was shown, the latest first."""
    return list(_of(subject).select_related("text"))


def may_market(subject: Subject) -> bool:
    """Tell whether news may be mailed now: consent stands, and processing is not restricted."""
    last = latest(subject)
    return last is not None and last.given and allows(subject, Processing.MARKETING)


def willing(kind: str) -> QuerySet[Consent]:
    """Return the consents that stand, of all subjects of a kind; `may_market` is asked again for each."""
    newest = Consent.objects.filter(
        subject_kind=kind, subject_id=OuterRef("subject_id"), purpose=MARKETING
    ).order_by("-at", "-pk")
    rows = Consent.objects.filter(subject_kind=kind, purpose=MARKETING, given=True)
    return rows.filter(pk=Subquery(newest.values("pk")[:1])).order_by("subject_id")


def by_address(address: str) -> QuerySet[Consent]:
    """Return what was ever chosen with this address, also once its person is erased."""
    return Consent.objects.filter(address_mark=mark_of(address)).order_by("-at", "-pk")


def kept_by_address(address: str) -> QuerySet[KeptConsent]:
    """Return what was chosen with this address where the workspace is gone. In the platform's schema."""
    return KeptConsent.objects.filter(address_mark=mark_of(address)).order_by("-at", "-pk")


def _of(subject: Subject) -> QuerySet[Consent]:
    rows = Consent.objects.filter(subject_kind=subject.kind, subject_id=subject.id, purpose=MARKETING)
    return rows.order_by("-at", "-pk")


def _choose(subject: Subject, given: bool, *, how: str, actor: Actor, now: datetime) -> Consent:
    person = known(subject)
    if person is None or not person.email:
        raise Refused("There is nobody (any more) who could choose this.")
    place = {"address": person.email, "ip": actor.ip, "user_agent": actor.user_agent}
    with transaction.atomic():
        consent = Consent.objects.create(
            subject_kind=subject.kind,
            subject_id=subject.id,
            purpose=MARKETING,
            given=given,
            text=_text(now),
            how=how,
            at=now,
            address_mark=mark_of(person.email),
            sealed=subject_keys.seal(subject.kind, subject.id, json.dumps(place), context=CONTEXT),
        )
        action = Action.CONSENT_GIVEN if given else Action.CONSENT_WITHDRAWN
        record(
            action, subject=(subject.kind, subject.id), actor=actor, now=now, purpose=str(MARKETING), how=how
        )
    return consent


def _text(now: datetime) -> ConsentText:
    """Return the row of the present text, adding it when it is shown for the first time."""
    text = text_shown()
    digest = hashlib.sha256(text.encode()).hexdigest()
    row = ConsentText(hash=digest, purpose=MARKETING, text=text, since=now)
    ConsentText.objects.bulk_create([row], ignore_conflicts=True)
    return row


def _open(rows: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
    """Open the sealed column of many rows, for copies and access."""
    closed = [
        subject_keys.Closed((row["subject_kind"], row["subject_id"]), bytes(row["sealed"]), CONTEXT)
        for row in rows
    ]
    return [None if data is None else json.loads(data) for data in subject_keys.open_many(closed)]


reading.opens(Consent._meta.label, "sealed", _open)
