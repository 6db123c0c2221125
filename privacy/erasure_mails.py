"""What is written to those whose account is closed or who are erased: pure, in the tenant's name."""

from collections.abc import Mapping, Sequence
from typing import Any

from tenants.letters import Letter, hello, render
from tenants.message import RenderedMail


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
            sender=business, subject=subject, greeting=hello(name),
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
            sender=business,
            subject=f"Your data at {business} is erased",
            greeting=hello(name),
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
