"""A message as it came, read without believing it: bytes in, a value out, whatever they are."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final

from django.utils.html import strip_tags

TEXT_AT_MOST = 50_000
SUBJECT_AT_MOST = 300
ADDRESS_AT_MOST = 254
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
# One plain address: what a mailbox on file can be. Quoted local parts, comments and routes are for a person.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_MACHINES: Final = ("mailer-daemon@", "no-reply@", "noreply@", "bounce@", "bounces@")


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be known of a message.

    `address` is that of the one From header, empty where there is not exactly one plain address; `results`
    are all headers Authentication-Results, from the top; `cut_signers` domains whose DKIM signature covers
    only the beginning of the body (`l=`); `machine` tells why a machine wrote it, `bounce` why it is none
    that could ask for anything, `by_list` that it came through a mailing list.
    """

    mark: str
    address: str
    shown_from: str
    subject: str
    text: str
    dated: datetime | None
    results: Sequence[str]
    cut_signers: frozenset[str]
    bounce: str
    machine: str
    by_list: bool

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


def read(raw: bytes) -> Letter:
    """Read a message. What cannot be read is empty; nothing in it raises."""
    message = message_from_bytes(raw, policy=policy.compat32)
    shown = [_text(value) for value in _all(message, "from")]
    return Letter(
        mark=_mark(message, raw),
        address=_address(_all(message, "from")),
        shown_from=" | ".join(shown)[:320],
        subject=_text(next(iter(_all(message, "subject")), ""))[:SUBJECT_AT_MOST],
        text=_body(message)[:TEXT_AT_MOST],
        dated=_date(next(iter(_all(message, "date")), "")),
        results=[_unfold(value) for value in _all(message, "authentication-results")],
        cut_signers=frozenset(_cut_signers(message)),
        bounce=_bounce(message),
        machine=_machine(message),
        by_list=bool(
            _all(message, "list-id") or _all(message, "list-post") or _all(message, "list-unsubscribe")
        ),
    )


def mark_of(message_id: str) -> str:
    """The hash by which a message is known to have come already."""
    return hashlib.sha256(b"id:" + message_id.strip().encode("utf-8", "surrogateescape")).hexdigest()


def _mark(message: Message, raw: bytes) -> str:
    ids = _all(message, "message-id")
    if len(ids) == 1 and ids[0].strip():
        return mark_of(ids[0])
    return hashlib.sha256(b"raw:" + raw).hexdigest()


def _all(message: Message, name: str) -> list[str]:
    return [str(value) for value in message.get_all(name, [])]


def _unfold(value: str) -> str:
    return " ".join(value.split())


def _text(value: str) -> str:
    """A header for people's eyes: decoded, on one line, without marks that turn it round."""
    with suppress(ValueError, LookupError, UnicodeError):  # else it is shown as it stands
        value = str(make_header(decode_header(_unfold(value))))
    return _unfold(_CONTROL.sub(" ", _clean(value)))


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _address(froms: Sequence[str]) -> str:
    """The sender's address, if there is one From header with one plain address in it, and no trick."""
    if len(froms) != 1 or _CONTROL.search(_unfold(froms[0])):
        return ""
    try:
        header = policy.default.header_factory("from", _unfold(froms[0]))
        if header.defects or len(header.addresses) != 1 or len(header.groups) != 1:
            return ""
        address = header.addresses[0].addr_spec
    except Exception:  # Python's parser fails in many ways on what was made to make it fail
        return ""
    fits = len(address) <= ADDRESS_AT_MOST and _ADDRESS.fullmatch(address)
    return address if fits else ""


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _cut_signers(message: Message) -> Iterator[str]:
    for value in _all(message, "dkim-signature"):
        tags = dict(part.strip().partition("=")[::2] for part in _unfold(value).split(";"))
        tags = {name.strip().lower(): tag for name, tag in tags.items()}
        if "l" in tags:
            yield tags.get("d", "").strip().lower()


def _bounce(message: Message) -> str:
    """Why this only tells of another message."""
    if any(path.strip() in {"<>", ""} for path in _all(message, "return-path")):
        return "it has no sender to return to"
    if message.get_content_type() in {"multipart/report", "message/delivery-status"}:
        return "it reports on a delivery"
    return "it reports on a delivery" if _all(message, "x-failed-recipients") else ""


def _machine(message: Message) -> str:
    """Why this is no person's writing; answering it could go round for ever."""
    submitted = " ".join(_all(message, "auto-submitted")).strip().lower()
    if submitted and submitted.partition(";")[0].strip() != "no":
        return "it says that it was submitted automatically"
    if _all(message, "x-autoreply") or _all(message, "x-autorespond"):
        return "it is an automatic reply"
    if " ".join(_all(message, "precedence")).strip().lower() in {"auto_reply", "bulk", "junk"}:
        return "it was sent in bulk"
    if _address(_all(message, "from")).lower().startswith(_MACHINES):
        return "its sender is a machine"
    return _bounce(message)


def _body(message: Message) -> str:
    """The plain text, or what an HTML part says."""
    for kind in ("text/plain", "text/html"):
        for part in message.walk():
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                text = _decoded(part)
                text = strip_tags(text[:TEXT_AT_MOST]) if kind == "text/html" else text
                if text.strip():
                    return text.strip()
    return ""


def _decoded(part: Message) -> str:
    try:
        raw = part.get_payload(decode=True)
    except Exception:  # broken encodings fail in many ways
        raw = None
    if not isinstance(raw, bytes):
        return ""
    try:
        text = raw.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        text = raw.decode("utf-8", "replace")
    return _CONTROL.sub(" ", _clean(text.replace("\r\n", "\n")))


def is_plain_address(text: str) -> bool:
    """Whether this is one address that can be written to."""
    return len(text) <= ADDRESS_AT_MOST and _ADDRESS.fullmatch(text) is not None
