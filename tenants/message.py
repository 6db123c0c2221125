"""A mail as a value: rendered, complete, ready for the sending room. Refuses what could forge a header."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Overrides and isolates let a name show itself backwards in a list of mails.
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_MIME = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+-]+\Z")
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+\Z")

SUBJECT_LIMIT = 200


def one_line(text: str) -> str:
    """The text on one line, without control characters or marks that turn the direction of writing."""
    return " ".join(_DIRECTION.sub("", _CONTROL.sub(" ", text)).split())


def subject_line(text: str) -> str:
    """A subject: one line, cut at SUBJECT_LIMIT characters."""
    line = one_line(text)
    return line if len(line) <= SUBJECT_LIMIT else line[: SUBJECT_LIMIT - 1].rstrip() + "…"


def _refuse_control(what: str, text: str) -> None:
    if _CONTROL.search(text):
        raise ValueError(f"{what} holds a control character")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    mime: str
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _refuse_control("attachment name", self.name)
        if not self.name or "/" in self.name or "\\" in self.name:
            raise ValueError("attachment name must be a bare file name")
        if not _MIME.match(self.mime):
            raise ValueError(f"not a media type: {self.mime!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMail:
    """What a mail says; who gets it is the sender's matter.

    `from_name` and `reply_to` speak for the business in whose name the mail goes out; both may be empty.
    """

    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    from_name: str = ""
    reply_to: str = ""

    def __post_init__(self) -> None:
        _refuse_control("subject", self.subject)
        _refuse_control("from_name", self.from_name)
        _refuse_control("reply_to", self.reply_to)
        if not self.subject.strip() or not self.text.strip():
            raise ValueError("a mail needs a subject and a text part")
        for name, value in self.headers.items():
            if not _HEADER_NAME.match(name):
                raise ValueError(f"not a header name: {name!r}")
            _refuse_control(f"header {name}", value)
