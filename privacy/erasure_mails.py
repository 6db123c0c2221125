"""What is written to those whose account is closed or who are erased: pure, in the tenant's name."""

from collections.abc import Mapping, Sequence
from typing import Any

from tenants.letters import Letter, hello, render
from tenants.message import RenderedMail

BACKUPS = (
    "Encrypted backups of earlier days: until they are 365 days old. They serve to bring everything back "
    "after a loss; whoever was erased is then erased again."
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
            sender=business, subject=subject, greeting=hello(name),
            paragraphs=(begun, undo, stays), url=url,
            button="Open the workspace again" if tenant else "Open the account again",
        )
    )  # fmt: skip


def erased_mail(*, business: str, name: str, gone: str, plan: Mapping[str, Any]) -> RenderedMail:
    """Your data is erased; this stays, on this law, until that day."""
    stays = [f"{each['what']}: {until(each['until'])}. {each['law']}." for each in plan["stays"]]
    found = [
        f"{each['what']}, if you are in them: {until(each['until'])} at the latest. {each['law']}."
        for each in _once(plan["registers"])
    ]
    return render(
        Letter(
            sender=business,
            subject=f"Your data at {business} is erased",
            greeting=hello(name),
            paragraphs=(
                f"The erasure of your personal data at {business} is being carried out now. When you read "
                f"this, {gone} are gone for good.",
                "The following is kept, because the law has it kept or lets us, and nothing else:",
            ),
            points=(*stays, *found, BACKUPS),
        )
    )


def _once(items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Name each register once."""
    return list({each["what"]: each for each in items}.values())


def until(text: str) -> str:
    """Return the end of what is kept, as a phrase: a day, or words."""
    return f"until {text}" if text[:1].isdigit() else text
