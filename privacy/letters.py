"""Mails of privacy as text and HTML, in the name of whoever holds the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.template import Context, Engine

from tenants.context import current_tenant, in_public
from tenants.directory import site_url
from tenants.message import RenderedMail, one_line, subject_line

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "privacy" / "mail"


@dataclass(frozen=True, slots=True)
class Letter:
    """What it says, with one link."""

    business: str
    subject: str
    greeting: str
    paragraphs: tuple[str, ...]
    button: str
    url: str
    after: str


def render(letter: Letter, *, headers: Mapping[str, str] | None = None) -> RenderedMail:
    """Return the mail."""
    context = Context({"letter": letter})
    return RenderedMail(
        subject=subject_line(letter.subject),
        text=_engine().get_template("letter.txt").render(context),
        html=_engine().get_template("letter.html").render(context),
        from_name=one_line(letter.business),
        headers=headers or {},
    )


def business() -> str:
    """In whose name mails go out here."""
    return "ProEcommerce" if in_public() else current_tenant().name


def site() -> str:
    """The address of the host on which the person logs in."""
    return settings.SITE_URL.rstrip("/") if in_public() else site_url(current_tenant())


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(_TEMPLATES)])
