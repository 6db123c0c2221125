"""What the mail about alerts says: pure. Callers' addresses are not in it: those stand in the admin alone."""

from collections.abc import Sequence

from tenants.message import RenderedMail, subject_line


def alerts_mail(*, lines: Sequence[str], more: int, url: str) -> RenderedMail:
    """To the platform's own address: what was raised since the last mail."""
    number = len(lines) + more
    text = "\n".join(
        [
            "Requests of the last minutes look like abuse:",
            "",
            *(f"  {line}" for line in lines),
            *([f"  … and {more} more"] if more else []),
            "",
            "Look at them and acknowledge them here:",
            url,
            "",
            "Each is mailed once, and at most one mail leaves in a quarter of an hour.",
        ]
    )
    return RenderedMail(
        subject=subject_line(f"Abuse: {number} {'alert' if number == 1 else 'alerts'}"), text=text, html=""
    )
