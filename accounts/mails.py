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


def invitation_mail(
    *, business: str, name: str, url: str, works_here: bool = False, customer: str = "", by: str = ""
) -> RenderedMail:
    """To work for the business, or to act for one of its customers, whose own people may have asked."""
    if works_here:
        wish = f"You are invited to work with the billing of {business}."
    elif customer and by:
        wish = f"{by} invites you to act for {customer} in the client portal of {business}."
    else:
        wish = f"{business} invites you to its client portal{f' for {customer}' if customer else ''}."
    return render(
        LinkMail(
            business=business,
            subject=f"Your log-in at {business}",
            greeting=f"Hello {name}," if name else "Hello,",
            paragraph=f"{wish} Set a password to begin.",
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


def handed_over_mail(*, business: str, name: str, before: str, after: str, url: str) -> RenderedMail:
    """To both of them."""
    return render(
        LinkMail(
            business=business,
            subject=f"{business} has another owner",
            greeting=f"Hello {name},",
            paragraph=f"{before} handed the ownership of {business} over to {after}. {after} may now change "
            f"settings, people and the connection to Stripe; {before} goes on in billing.",
            button="See who works here",
            url=url,
            after="If this was not meant to happen, write to us at once: answer this mail.",
        )
    )


def visit_mail(*, business: str, name: str, staff: str, user: str, reason: str, url: str) -> RenderedMail:
    """To each owner, when somebody of the platform has entered."""
    return render(
        LinkMail(
            business="ProEcommerce",
            subject=f"ProEcommerce has entered {business}",
            greeting=f"Hello {name},",
            paragraph=f"{staff} of ProEcommerce entered {business} just now and sees it as {user} does, for "
            f"30 minutes at most. The reason given: {reason}. Money, keys, log-ins and people stay out of "
            "reach meanwhile.",
            button="See the record",
            url=url,
            after="If you did not ask for help and do not know why, write to us: answer this mail.",
        )
    )


def host_mail(*, business: str, name: str, hostname: str, problem: str, url: str) -> RenderedMail:
    """To each owner, when a host of their own was not shown to be theirs for three days."""
    return render(
        LinkMail(
            business=business,
            subject=f"Is {hostname} still yours?",
            greeting=f"Hello {name},",
            paragraph=f"For three days we have seen neither the proof that {hostname} belongs to {business}, "
            f"nor that the name leads here. {problem} Nothing is switched off. If the domain is yours, set "
            "the record again; if you gave it up, take the host out, so that nobody else is taken for you.",
            button="Look at your hosts",
            url=url,
            after="We look every day, and write again only if it comes back and goes missing once more.",
        )
    )


def record_mail(*, business: str, name: str, problem: str, url: str) -> RenderedMail:
    """To owners and the platform's staff, when an audit record is not whole."""
    return render(
        LinkMail(
            business="ProEcommerce",
            subject=f"The audit record of {business} is not whole",
            greeting=f"Hello {name},",
            paragraph=f"The nightly check of the audit record of {business} found that {problem}. Somebody "
            "may have changed what the record says. Nothing in it can be relied on from there on.",
            button="See the record",
            url=url,
            after="ProEcommerce has been told as well and looks into it. Keep this mail.",
        )
    )


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(_TEMPLATES / "accounts" / "mail")])
