"""What the privacy app writes about the policy and to those who used the contact form."""

from django.conf import settings

from tenants.context import current_tenant, in_public
from tenants.directory import site_url
from tenants.letters import Letter, hello, render
from tenants.message import RenderedMail, one_line


def policy_letter(*, name: str, business: str, summary: str, day: str, url: str) -> RenderedMail:
    """That the policy will change: what changes, from when, and what one may do."""
    return render(
        Letter(
            sender="ProEcommerce",
            subject=f"Our privacy policy changes on {day}",
            greeting=hello(name),
            paragraphs=(
                f"You have an account with {one_line(business)}, whose billing runs on ProEcommerce. "
                f"The privacy policy of ProEcommerce changes on {day}. This is what changes:",
                summary,
                "Until that day the present policy holds. If you do not agree, you may object, take your "
                "data along, or have them deleted: the policy says how.",
            ),
            button="Read the new version",
            url=url,
            after="You get this mail whatever you chose about marketing, because it concerns your rights. "
            "Questions? Answer this mail: a person reads it.",
        )
    )


def message_letter(*, url: str) -> RenderedMail:
    """To ourselves, that somebody wrote. What they wrote stays where it can be erased."""
    return render(
        Letter(
            sender="ProEcommerce",
            subject="Somebody wrote through the contact form",
            greeting=hello(""),
            paragraphs=("A message from the contact form waits for an answer.",),
            button="Read and answer it",
            url=url,
            after="Answer there, not by mail, so that the answer is on record and goes with the message.",
        )
    )


def reply_letter(*, name: str, text: str, asked: str, day: str) -> RenderedMail:
    """What a person answers, under it what was asked."""
    paragraphs = (text, f"You wrote on {day}:", asked)
    return render(
        Letter(
            sender="ProEcommerce",
            subject="Your message to ProEcommerce",
            greeting=hello(name),
            paragraphs=paragraphs,
            after="We keep your message and this answer for 12 months after the last word, or until you ask "
            "us to delete them.",
        )
    )


def business() -> str:
    """In whose name mails go out here."""
    return "ProEcommerce" if in_public() else current_tenant().name


def site() -> str:
    """The address of the host on which the person logs in."""
    return settings.SITE_URL.rstrip("/") if in_public() else site_url(current_tenant())
