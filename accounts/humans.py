"""Telling people from robots on public forms: no third party, no puzzles, a word to whoever is held up.

A form carries a signed stamp of when it was shown, a field that people do not see, and a proof of work that a
small script finds meanwhile. Without the script a form is taken too, only less often and not as fast.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.core import signing
from django.http import HttpRequest

from tenants import clock, limits, security_log
from tenants.throttling import ONCE, UNPROVEN, TooMany

SALT = "accounts.humans"
BITS = 14  # 16,000 hashes on average: nothing to a person, a bill to whoever sends thousands
LIFETIME = timedelta(hours=4)
SOONEST, SOONEST_UNPROVEN = timedelta(seconds=2), timedelta(seconds=4)
LONGEST = 200
TRAP = "Leave the field “Website” empty: it is there to catch robots."
OLD = "This form was open for too long, or was sent already. Look it over and send it once more."
FAST = "That was faster than people are. Wait a few seconds, then send it again."


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a form was shown, and which form; `text` is what the browser holds."""

    text: str
    purpose: str
    shown_at: datetime


class HumanForm(forms.Form):
    """A public form; its template includes `partials/human.html`, its page asks `passes`."""

    purpose = ""
    website = forms.CharField(required=False, max_length=LONGEST, strip=False)
    stamp = forms.CharField(required=False, max_length=LONGEST, widget=forms.HiddenInput)
    work = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)
    bits = BITS

    def fresh_stamp(self) -> str:
        """What to put into the page: the stamp that came with the form while it is good for another try."""
        sent = read_stamp(self.data.get("stamp", ""), self.purpose) if self.is_bound else None
        keeps = sent is not None and clock.wall() - sent.shown_at < LIFETIME / 2 and not self.stamp_is_used
        return sent.text if sent is not None and keeps else make_stamp(self.purpose, now=clock.wall())

    stamp_is_used = False


def make_stamp(purpose: str, *, now: datetime) -> str:
    """Return a signed stamp for one showing of a form."""
    return signing.Signer(salt=SALT).sign_object([purpose, int(now.timestamp()), secrets.token_urlsafe(6)])


def read_stamp(text: str, purpose: str) -> Stamp | None:
    """Return the stamp if it is whole and of this kind of form."""
    try:
        found, seconds, _ = signing.Signer(salt=SALT).unsign_object(text)
        shown_at = clock.at(seconds)
    except (signing.BadSignature, ValueError, TypeError, OverflowError):
        return None
    return Stamp(text, purpose, shown_at) if found == purpose else None


def is_proof(stamp: str, work: str) -> bool:
    """Tell whether the work was done for this stamp: a hash of both that begins with `BITS` zero bits."""
    if not (work.isascii() and work.isdigit()):
        return False
    digest = hashlib.sha256(f"{stamp}:{work}".encode()).digest()
    return int.from_bytes(digest) >> (256 - BITS) == 0


def passes(request: HttpRequest, form: HumanForm) -> bool:
    """Tell whether a valid form may be taken; if not, the form says what to do. May raise `TooMany`."""
    now, data = clock.wall(), form.cleaned_data
    stamp = read_stamp(data["stamp"], form.purpose)
    proven = stamp is not None and is_proof(stamp.text, data["work"])
    problem = _problem(stamp, now, trapped=bool(data["website"]), proven=proven)
    if not problem and stamp is not None:
        if not proven:
            limits.spend(request, UNPROVEN)
        form.stamp_is_used = True
        try:
            limits.spend(request, ONCE, account=stamp.text)
        except TooMany:
            problem = OLD
    if problem:
        security_log.note(request, "form_refused", form=form.purpose)
        form.add_error(None, problem)
    return not problem


def _problem(stamp: Stamp | None, now: datetime, *, trapped: bool, proven: bool) -> str:
    if trapped:
        return TRAP
    if stamp is None or not timedelta(seconds=-1) <= now - stamp.shown_at <= LIFETIME:
        return OLD
    return FAST if now - stamp.shown_at < (SOONEST if proven else SOONEST_UNPROVEN) else ""
