"""What the mails about log-ins say: pure, in the tenant's name."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.template import Context, Engine

from tenants.message import RenderedMail, one_line, subject_line

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


@dataclass(frozen=True, slots=True)
class LinkMail:
    """A short mail with one link: what it is about, what to do, and until when."""

    business: str
    subject: str
    greeting: str
    paragraph: str
    button: str
    url: str
    after: str


def render(letter: LinkMail) -> RenderedMail:
    """Return the mail as text and HTML."""
    context = Context({"letter": letter})
    text = _engine().get_template("link.txt").render(context)
    html = _engine().get_template("link.html").render(context)
    return RenderedMail(
        subject=subject_line(letter.subject), text=text, html=html, from_name=one_line(letter.business)
    )


def invitation_mail(*, business: str, name: str, url: str) -> RenderedMail:
    return render(
        LinkMail(
            business=business,
            subject=f"Your log-in at {business}",
            greeting=f"Hello {name}," if name else "Hello,",
            paragraph=f"{business} invites you to its client portal. Set a password to begin.",
            button="Accept the invitation",
            url=url,
            after="The link works once, for seven days. If you did not expect it, you may ignore this mail.",
        )
    )


def reset_mail(*, business: str, name: str, url: str) -> RenderedMail:
    return render(
        LinkMail(
            business=business,
            subject=f"Set a new password at {business}",
            greeting=f"Hello {name}," if name else "Hello,",
            paragraph=f"Somebody, hopefully you, asked to set a new password for your log-in at {business}.",
            button="Set a new password",
            url=url,
            after="The link works once, for one hour. If it was not you, nothing has changed.",
        )
    )


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(_TEMPLATES / "accounts" / "mail")])
