"""What is written to those whose account is closed or who are erased: pure, in the tenant's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine

from tenants.message import RenderedMail, one_line, subject_line

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of paragraphs, with a list and a link where there is one."""

    business: str
    subject: str
    greeting: str
    paragraphs: tuple[str, ...]
    points: tuple[str, ...] = ()
    url: str = ""
    button: str = ""


def render(letter: Letter) -> RenderedMail:
    """Return the mail as text and HTML."""
    context = Context({"letter": letter})
    text = _engine().get_template("erasure.txt").render(context)
    html = _engine().get_template("erasure.html").render(context)
    return RenderedMail(
        subject=subject_line(letter.subject), text=text, html=html, from_name=one_line(letter.business)
    )


def closing_mail(
    which: str, *, business: str, name: str, whose: str, final: str, url: str, tenant: bool
) -> RenderedMail:
    """The account was closed, or goes for good within a week; `url` is where that is undone."""
    begun = (
        f"{whose} is closed. Nothing is sold or charged any more."
        if which == "begun"
        else (f"{whose} was closed some weeks ago, and goes for good on {final}.")
    )
    stays = "Invoices and what belongs to them are kept for seven years, as tax law demands, then deleted."
    undo = f"Until {final} it takes one click to open it again. Then everything else is erased."
    subject = f"{whose}: closed" if which == "begun" else f"{whose}: erased on {final}"
    return render(
        Letter(
            business=business, subject=subject, greeting=f"Hello {name}," if name else "Hello,",
            paragraphs=(begun, undo, stays), url=url,
            button="Open the workspace again" if tenant else "Open the account again",
        )
    )  # fmt: skip


def erased_mail(*, business: str, name: str, stays: Sequence[Mapping[str, Any]]) -> RenderedMail:
    """Your data is erased; this stays, on this law, until that day."""
    points = tuple(f"{each['what']}: {until(each['until'])}. {each['law']}." for each in stays)
    kept = "The law makes us keep the following, and nothing else:" if points else "Nothing of it is kept."
    return render(
        Letter(
            business=business,
            subject=f"Your data at {business} is erased",
            greeting=f"Hello {name}," if name else "Hello,",
            paragraphs=(
                f"The erasure of your personal data at {business} is being carried out now. When you read "
                "this, your log-in, your contact details and your saved cards are gone for good.",
                kept,
            ),
            points=points,
        )
    )


def until(text: str) -> str:
    """Return the end of what is kept, as a phrase: a day, or words."""
    return f"until {text}" if text[:1].isdigit() else text


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(_TEMPLATES / "privacy" / "mail")])
