"""The only door through which news and offers leave: asked at that moment, with one click to get no more."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.core import signing
from django.core.mail import get_connection

from privacy import consenting
from privacy.errors import Refused
from privacy.letters import business, site
from privacy.subjects import Subject, known
from tenants.context import current_schema
from tenants.letters import Letter, hello, render
from tenants.mail import send

NO_SERVER: Final = (
    "News cannot be sent yet: there is no mail server for them. Whoever runs this site names one in "
    "NEWS_EMAIL_URL (docs/configuration.md)."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a business tells those who agreed; it becomes a mail only inside `send_marketing`."""

    title: str
    text: str


def send_marketing(offer: Offer, subject: Subject) -> bool:
    """Mail it, if consent stands and nothing is restricted at this very moment; returns whether it was.

    Talks to the mail server for news: no transaction may be open. Raises `Refused` where there is none.
    """
    if not has_server():
        raise Refused(NO_SERVER)
    person = known(subject)
    if person is None or not person.email or not consenting.may_market(subject):
        return False
    stop = f"{site()}/unsubscribe/{token_of(subject)}/"
    letter = Letter(
        sender=business(),
        subject=offer.title,
        greeting=hello(person.name),
        paragraphs=tuple(part.strip() for part in offer.text.split("\n\n") if part.strip()),
        button="Stop these mails",
        url=stop,
        after="You get this because you asked for news and offers. One click stops it, at once.",
    )
    # RFC 8058: mail programs offer a button of their own, which posts to that address.
    headers = {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    connection = get_connection(**settings.NEWS_MAIL)
    send(render(letter, headers=MappingProxyType(headers)), to=person.email, connection=connection)
    return True


def has_server() -> bool:
    """Tell whether there is a mail server that takes news: the one for all other mail takes none (S3)."""
    return bool(settings.NEWS_MAIL)


def token_of(subject: Subject) -> str:
    """What the link in a mail carries: good for this person, in this workspace, for ever."""
    return _signer().sign_object([subject.kind, subject.id])


def subject_of(token: str) -> Subject | None:
    """Whose link it is; None for one that is not ours, or not of this workspace."""
    try:
        kind, subject_id = _signer().unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Subject(str(kind), str(subject_id))


def _signer() -> signing.Signer:
    return signing.Signer(salt=f"privacy.unsubscribe.{current_schema()}")
