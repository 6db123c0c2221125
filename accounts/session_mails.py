"""What the mails about new devices and new addresses say: pure, in the tenant's name."""

from tenants.letters import Letter, hello, render
from tenants.message import RenderedMail


def new_device_mail(*, business: str, name: str, device: str, ip: str, when: str, url: str) -> RenderedMail:
    origin = f"{device}, from the address {ip}" if ip else device
    return render(
        Letter(
            sender=business,
            subject=f"A log-in from a new device at {business}",
            greeting=hello(name),
            paragraphs=(
                f"Somebody, hopefully you, logged in at {business} on {when} with a device or from a "
                f"place that we had not seen you use for 90 days: {origin}.",
            ),
            button="Look at your sessions",
            url=url,
            after="If it was you, there is nothing to do. If not, end that session and set a new password.",
        )
    )


def confirm_address_mail(*, business: str, name: str, url: str) -> RenderedMail:
    return render(
        Letter(
            sender=business,
            subject=f"Confirm this address for {business}",
            greeting=hello(name),
            paragraphs=(f"Somebody, hopefully you, wants to log in at {business} with this address.",),
            button="Use this address",
            url=url,
            after="The link works once, for 24 hours. If it was not you, nothing changes: ignore this mail.",
        )
    )


def address_in_use_mail(*, business: str, name: str, url: str) -> RenderedMail:
    """For the owner of an address that somebody wanted to take over."""
    return render(
        Letter(
            sender=business,
            subject=f"This address has a log-in at {business} already",
            greeting=hello(name),
            paragraphs=(
                f"Somebody wanted to use this address for another log-in at {business}. It has "
                "one already, so nothing was changed. If that was you, log in with this address, or choose "
                "another.",
            ),
            button="Log in",
            url=url,
            after="If it was not you, there is nothing to do: your log-in stays as it is.",
        )
    )


def address_changed_mail(*, business: str, name: str, new_email: str, until: str, url: str) -> RenderedMail:
    return render(
        Letter(
            sender=business,
            subject=f"Your address at {business} was changed",
            greeting=hello(name),
            paragraphs=(f"You now log in at {business} with {new_email}. This address no longer works.",),
            button="That was not me: undo it",
            url=url,
            after=f"You can undo it until {until}. That also logs you out everywhere, takes away second "
            "factors that were set up meanwhile, and makes your password and links mailed before void. A "
            "link to set a new password is then mailed to this address.",
        )
    )
