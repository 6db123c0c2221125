"""What the mails about requests say: pure. None of them tells whether an address is known, but to itself."""

from datetime import date

from privacy.deadlines import Law
from tenants.letters import Letter, render
from tenants.message import RenderedMail

BUSINESS = "ProEcommerce"


def said(day: date) -> str:
    """A day in words."""
    return f"{day:%-d %B %Y}"


def receipt_mail(*, reference: str, by: date) -> RenderedMail:
    """To whom DMARC passed for, known to us or not: the same words."""
    return render(
        Letter(
            sender=BUSINESS,
            subject=f"We have your message ({reference})",
            paragraphs=(
                "Thank you for writing to us. A person reads every message about personal data and answers "
                f"this one by {said(by)} at the latest.",
                "We never tell, change or delete anything because of a mail alone, so you may hear from us "
                "before then.",
            ),
            after="This note was sent by itself. The answer will not be.",
        )
    )


def link_mail(*, reference: str, wish: str, url: str) -> RenderedMail:
    """To the address on file, and to no other."""
    return render(
        Letter(
            sender=BUSINESS,
            subject=f"Please confirm your request ({reference})",
            paragraphs=(
                "Somebody, hopefully you, wrote to us from this address about personal data. We understood: "
                f"{wish.lower()}.",
                "Before we act on it, confirm that it was you.",
            ),
            button="Confirm the request",
            url=url,
            after="The link works once, for 24 hours. If it was not you, ignore this mail: nothing happens.",
        )
    )


def old_address_mail(*, reference: str, on: date) -> RenderedMail:
    """To the address that was on file until lately."""
    return render(
        Letter(
            sender=BUSINESS,
            subject=f"A request about your personal data ({reference})",
            paragraphs=(
                f"On {said(on)} somebody wrote to us about the personal data of an account that had this "
                "address until a short while ago, and has another one now.",
                "Nothing was told, changed or deleted. If the other address is not yours, answer this mail "
                "at once. If it is, there is nothing to do.",
            ),
        )
    )


def extension_mail(*, reference: str, law: Law, because: str, until: date) -> RenderedMail:
    right = "Art. 12(3) GDPR" if law is Law.GDPR else "the CCPA"
    return render(
        Letter(
            sender=BUSINESS,
            subject=f"Your request takes longer ({reference})",
            paragraphs=(
                "Your request needs more time than we had hoped. You will have our answer by "
                f"{said(until)}, as {right} allows.",
                f"The reason: {because}",
                "You may complain to your data-protection authority, or go to court, if you do not agree.",
            ),
        )
    )


def reply_mail(*, reference: str, text: str, by: str) -> RenderedMail:
    """What a person wrote, and nothing besides but who it was."""
    return render(
        Letter(
            sender=BUSINESS,
            subject=f"Your request {reference}",
            paragraphs=[part for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()],
            after=f"Written by {by}. Answer this mail to write back.",
        )
    )


def reminder_mail(*, reference: str, what: str, state: str, due: date, today: date, url: str) -> RenderedMail:
    """To the staff; nothing personal is in it."""
    days = (due - today).days
    if days < 0:
        subject, when = f"OVERDUE by {-days} days: request {reference}", f"It was due on {said(due)}."
    else:
        subject, when = f"Due in {days} days: request {reference}", f"It is due on {said(due)}."
    return render(
        Letter(
            sender=BUSINESS,
            subject=subject,
            paragraphs=(f"{what}. {when} {state}.",),
            button="Open the request",
            url=url,
            after="You get this each day until it is answered." if days < 0 else "",
        )
    )


def acknowledge_mail(*, reference: str, what: str, by: date, url: str) -> RenderedMail:
    return render(
        Letter(
            sender=BUSINESS,
            subject=f"Acknowledge request {reference} by {said(by)}",
            paragraphs=(f"{what}. The person has not been told that it arrived; that is due by {said(by)}.",),
            button="Open the request",
            url=url,
        )
    )


def child_mail(*, reference: str, url: str) -> RenderedMail:
    return render(
        Letter(
            sender=BUSINESS,
            subject=f"AT ONCE: somebody may be under 16 (request {reference})",
            paragraphs=(
                "A message says that somebody whose data we hold is under 16. Read it, and freeze them if it "
                "may be true: that stops everything and can be undone.",
            ),
            button="Open the request",
            url=url,
        )
    )


def reviews_mail(*, count: int, url: str) -> RenderedMail:
    what = "A legal hold is" if count == 1 else f"{count} legal holds are"
    return render(
        Letter(
            sender=BUSINESS,
            subject=f"{what} due for review",
            paragraphs=(
                f"{what} to be reviewed within a week, or should have been. Let it stand with the reason of "
                "today, or lift it.",
            ),
            button="Open the legal holds",
            url=url,
            after="You get this each day until the reviews are done.",
        )
    )
