"""What short mails look like: plain words, one link at most, nothing that reports being read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.template import Context, Engine

from tenants.message import RenderedMail, one_line, subject_line

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "tenants" / "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail: in whose name, what it is about, what it says in paragraphs and points, and where it leads."""

    sender: str
    subject: str
    paragraphs: Sequence[str]
    greeting: str = ""
    points: Sequence[str] = ()
    button: str = ""
    url: str = ""
    after: str = ""


def hello(name: str) -> str:
    """The greeting, with the name if it is known."""
    return f"Hello {one_line(name)}," if name else "Hello,"


def render(letter: Letter, *, headers: Mapping[str, str] | None = None) -> RenderedMail:
    """Return the mail as text and HTML."""
    context = Context({"letter": letter})
    return RenderedMail(
        subject=subject_line(letter.subject),
        text=_engine().get_template("letter.txt").render(context),
        html=_engine().get_template("letter.html").render(context),
        from_name=one_line(letter.sender),
        headers=headers or {},
    )


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(_TEMPLATES)])
