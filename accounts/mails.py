"""What the mails about log-ins say: pure, in the tenant's name."""

from tenants.letters import Letter, hello, render
from tenants.message import RenderedMail


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
        Letter(
            sender=business,
            subject=f"Your log-in at {business}",
            greeting=hello(name),
            paragraphs=(f"{wish} Set a password to begin.",),
            button="Accept the invitation",
            url=url,
            after="The link works once, for seven days. If you did not expect it, you may ignore this mail.",
        )
    )


def reset_mail(*, business: str, name: str, url: str) -> RenderedMail:
    return render(
        Letter(
            sender=business,
            subject=f"Set a new password at {business}",
            greeting=hello(name),
            paragraphs=(
                f"Somebody, hopefully you, asked to set a new password for your log-in at {business}.",
            ),
            button="Set a new password",
            url=url,
            after="The link works once, for one hour. If it was not you, nothing has changed.",
        )
    )


def handed_over_mail(*, business: str, name: str, before: str, after: str, url: str) -> RenderedMail:
    """To both of them."""
    return render(
        Letter(
            sender=business,
            subject=f"{business} has another owner",
            greeting=hello(name),
            paragraphs=(
                f"{before} handed the ownership of {business} over to {after}. {after} may now change "
                f"settings, people and the connection to Stripe; {before} goes on in billing.",
            ),
            button="See who works here",
            url=url,
            after="If this was not meant to happen, write to us at once: answer this mail.",
        )
    )


def visit_mail(*, business: str, name: str, staff: str, user: str, reason: str, url: str) -> RenderedMail:
    """To each owner, when somebody of the platform has entered."""
    return render(
        Letter(
            sender="ProEcommerce",
            subject=f"ProEcommerce has entered {business}",
            greeting=hello(name),
            paragraphs=(
                f"{staff} of ProEcommerce entered {business} just now and sees it as {user} does, for "
                f"30 minutes at most. The reason given: {reason}. Money, keys, log-ins and people stay out "
                "of reach meanwhile.",
            ),
            button="See the record",
            url=url,
            after="If you did not ask for help and do not know why, write to us: answer this mail.",
        )
    )


def roll_stripe_key_mail(*, business: str, name: str, url: str) -> RenderedMail:
    """To each owner whose tenant is connected by a restricted key, after an incident."""
    return render(
        Letter(
            sender="ProEcommerce",
            subject=f"Please roll the Stripe key of {business}",
            greeting=hello(name),
            paragraphs=(
                f"After an incident we replace every credential. {business} is connected to Stripe by a "
                "restricted key that you made, and which only you can replace: in Stripe's dashboard, under "
                "Developers, API keys, roll that key; then connect with the new one here.",
                "Until then the old key goes on working, for us and for whoever else may have it.",
            ),
            button="Connect with the new key",
            url=url,
        )
    )


def host_mail(*, business: str, name: str, hostname: str, problem: str, url: str) -> RenderedMail:
    """To each owner, when a host of their own was not shown to be theirs for three days."""
    return render(
        Letter(
            sender=business,
            subject=f"Is {hostname} still yours?",
            greeting=hello(name),
            paragraphs=(
                f"For three days we have seen neither the proof that {hostname} belongs to {business}, "
                f"nor that the name leads here. {problem} Nothing is switched off. If the domain is yours, "
                "set the record again; if you gave it up, take the host out, so that nobody else is taken "
                "for you.",
            ),
            button="Look at your hosts",
            url=url,
            after="We look every day, and write again only if it comes back and goes missing once more.",
        )
    )


def record_mail(*, business: str, name: str, problem: str, url: str) -> RenderedMail:
    """To owners and the platform's staff, when an audit record is not whole."""
    return render(
        Letter(
            sender="ProEcommerce",
            subject=f"The audit record of {business} is not whole",
            greeting=hello(name),
            paragraphs=(
                f"The nightly check of the audit record of {business} found that {problem}. Somebody "
                "may have changed what the record says. Nothing in it can be relied on from there on.",
            ),
            button="See the record",
            url=url,
            after="ProEcommerce has been told as well and looks into it. Keep this mail.",
        )
    )
