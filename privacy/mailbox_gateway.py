"""The mailbox of the contact address, over IMAP: what may be new is listed, handed out, and marked once done.

That a message is read says nothing: a colleague's mail program may have opened it first.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 30
FOLDER = "INBOX"
# What is read of one message: headers and text come first, what follows are attachments.
BYTES_AT_MOST = 512 * 1024
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_VALIDITY = re.compile(rb"(\d+)")


class MailboxUnreachable(OSError):
    """The mailbox did not answer as it should; the next round tries again."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message: its place in the mailbox, when it came, and its bytes, cut at the limit."""

    uid_validity: int
    uid: int
    at: datetime
    raw: bytes
    was_cut: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """Places of messages: those that nobody has opened, and those that came lately, opened or not."""

    unread: frozenset[int]
    lately: frozenset[int]


class Mailbox(Protocol):
    """What is asked of a mailbox."""

    uid_validity: int

    def listed(self, *, since: date, after: int | None) -> Listed: ...

    def fetch(self, uid: int) -> Arrived | None: ...

    def mark_read(self, message: Arrived) -> None: ...


class ImapMailbox:
    """A folder on an IMAP server, opened by `connected`."""

    def __init__(self, client: imaplib.IMAP4, folder: str) -> None:
        self._client = client
        _ask(client.select(_quoted(folder)))
        found = _VALIDITY.search(_status(client, folder))
        if found is None:
            raise MailboxUnreachable("The mailbox does not tell its UIDVALIDITY.")
        self.uid_validity = int(found[1])

    def listed(self, *, since: date, after: int | None) -> Listed:
        """What is unread, what came since that day, and what stands behind that place."""
        lately = self._search("SINCE", f"{since.day}-{_MONTHS[since.month - 1]}-{since.year}")
        if after is not None:  # "n:*" always names the last one, too
            lately |= {uid for uid in self._search("UID", f"{after + 1}:*") if uid > after}
        return Listed(self._search("UNSEEN"), lately)

    def mark_read(self, message: Arrived) -> None:
        _ask(self._client.uid("STORE", str(message.uid), "+FLAGS", r"(\Seen)"))

    def _search(self, *criteria: str) -> frozenset[int]:
        (uids,) = _ask(self._client.uid("SEARCH", *criteria))
        return frozenset(int(each) for each in (uids or b"").split())

    def fetch(self, uid: int) -> Arrived | None:
        """The message at a place; reading does not mark it. None: somebody deleted it meanwhile."""
        wanted = f"(RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.{BYTES_AT_MOST}>)"
        parts = _ask(self._client.uid("FETCH", str(uid), wanted))
        raw = next((part[1] for part in parts if isinstance(part, tuple)), None)
        if raw is None:
            return None
        said = b" ".join(part if isinstance(part, bytes) else part[0] for part in parts if part)
        size = _SIZE.search(said)
        return Arrived(
            uid_validity=self.uid_validity,
            uid=uid,
            at=_date(said),
            raw=raw[:BYTES_AT_MOST],
            was_cut=size is not None and int(size[1]) > BYTES_AT_MOST,
        )


@contextmanager
def connected(url: str) -> Iterator[ImapMailbox]:
    """Open the mailbox of `imaps://user:password@host:port/folder`; raises `MailboxUnreachable`.

    `imap+tls://` asks for STARTTLS, `imap://` is for this machine only.
    """
    try:
        client = _open(url)
    except (OSError, imaplib.IMAP4.error) as error:
        raise MailboxUnreachable(f"The mailbox does not open: {type(error).__name__}.") from error
    try:
        yield ImapMailbox(client, unquote(urlsplit(url).path.strip("/")) or FOLDER)
    except imaplib.IMAP4.error as error:
        raise MailboxUnreachable(f"The mailbox refused: {type(error).__name__}.") from error
    finally:
        with suppress(OSError, imaplib.IMAP4.error):  # it may be gone already
            client.logout()


def _open(url: str) -> imaplib.IMAP4:
    parts = urlsplit(url)
    host, context = parts.hostname or "", ssl.create_default_context()
    client: imaplib.IMAP4
    if parts.scheme == "imaps":
        client = imaplib.IMAP4_SSL(host, parts.port or 993, ssl_context=context, timeout=TIMEOUT_SECONDS)
    else:
        client = imaplib.IMAP4(host, parts.port or 143, timeout=TIMEOUT_SECONDS)
        if parts.scheme == "imap+tls":
            client.starttls(ssl_context=context)
    client.login(unquote(parts.username or ""), unquote(parts.password or ""))
    return client


def _status(client: imaplib.IMAP4, folder: str) -> bytes:
    (said,) = _ask(client.status(_quoted(folder), "(UIDVALIDITY)"))
    return bytes(said.rpartition(b"UIDVALIDITY")[2])


def _ask(answer: tuple[str, list]) -> list:  # type: ignore[type-arg]
    kind, data = answer
    if kind != "OK":
        raise MailboxUnreachable(f"The mailbox answered {kind}.")
    return data


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _date(said: bytes) -> datetime:
    """When the server took it in; IMAP4.Internaldate2tuple would turn it into local time and back."""
    found = re.search(rb'INTERNALDATE "([^"]+)"', said)
    try:
        text = found[1].decode("ascii").strip() if found else ""
        return datetime.strptime(text, "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        raise MailboxUnreachable("The mailbox does not tell when a message came.") from None
