"""python -m sandbox.mail --smtp-port N --imap-port N --http-port N --folder DIR: one box for every mail."""

import argparse
import asyncio
import signal
import time
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from pathlib import Path

from mail_devel import service as service_module
from mail_devel import utils
from mail_devel.mailbox import TestMailboxDict
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag

USER, PASSWORD = "demo@example.org", "demo"
# A long rehearsal sends thousands; nobody reads that many, and they are all held in memory.
KEPT = 3000
# Mail to the contact address stands in a folder of its own as well, with what a mail server writes of its
# checks on top. There is no DNS to check by here: whoever can send to this machine is believed.
CONTACT, CONTACT_FOLDER, AUTHSERV_ID = "billing@proecommerce.com", "Contact", "mail.localhost"
CHECKED = "authentication-results"


class Kept(TestMailboxDict):  # type: ignore[misc]
    """mail-devel's mailboxes; what arrives is on disk before the sender is told so."""

    folder: Path

    async def append(self, message: Message, flags: frozenset[Flag], mailbox: str = "INBOX") -> None:
        content = message.as_bytes()
        file = self.folder / f"{time.time_ns():020d}.eml"
        fresh = file.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(file)
        for old in self.files()[:-KEPT]:
            old.unlink(missing_ok=True)
        await self.deliver(content, datetime.now(UTC), flags, mailbox)

    async def deliver(self, content: bytes, when: datetime, flags: frozenset[Flag], mailbox: str) -> None:
        box = await (await self.get(USER)).get_mailbox(mailbox)
        # Text of eight bits becomes base64 or quoted-printable, which every reader understands.
        literal = str(message_from_bytes(content)).encode()
        await box.append(AppendMessage(literal=literal, when=when, flag_set=flags))
        uids = [message.uid async for message in box.messages()]
        await box.delete(uids[:-KEPT])
        if mailbox != CONTACT_FOLDER and for_contact(content):
            await self.deliver(checked(content), when, flags, CONTACT_FOLDER)

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.eml"))

    async def recall(self) -> None:
        """Bring back what arrived before the last stop."""
        for file in self.files():
            when = datetime.fromtimestamp(int(file.stem) / 1e9, UTC)
            await self.deliver(file.read_bytes(), when, frozenset(), "INBOX")


def for_contact(content: bytes) -> bool:
    """Whether a message is to the contact address."""
    to = message_from_bytes(content)
    return CONTACT in {
        address.lower() for _, address in getaddresses([*to.get_all("to", []), *to.get_all("cc", [])])
    }


def checked(content: bytes) -> bytes:
    """The message as a mail server hands it on: without headers in its name, and with its own on top."""
    message = message_from_bytes(content)
    forged = [
        each for each in message.get_all(CHECKED, []) if each.split(";")[0].strip().lower() == AUTHSERV_ID
    ]
    kept = [each for each in message.get_all(CHECKED, []) if each not in forged]
    del message[CHECKED]
    for each in kept:
        message[CHECKED] = each
    senders = [address for _, address in getaddresses(message.get_all("from", []))]
    domain = senders[0].rpartition("@")[2] if len(senders) == 1 else ""
    result = "pass" if domain else "fail"
    said = f"{AUTHSERV_ID}; dmarc={result} header.from={domain}; spf={result} smtp.mailfrom={domain}"
    return f"Authentication-Results: {said}\n".encode() + bytes(message)


async def serve(options: argparse.Namespace) -> None:
    own = ["--host", "127.0.0.1", "--user", USER, "--password", PASSWORD, "--client-max-size", "32M"]
    own += ["--smtp-port", str(options.smtp_port), "--imap-port", str(options.imap_port)]
    own += ["--http-port", str(options.http_port)]
    Kept.folder = options.folder
    Kept.folder.mkdir(parents=True, exist_ok=True)
    service_module.TestMailboxDict = Kept  # mail-devel offers no other way in
    service = await service_module.Service.init(service_module.Service.parse(own))
    await service.mailboxes.recall()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with service.start():
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.mail")
    for name in ("smtp", "imap", "http"):
        parser.add_argument(f"--{name}-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    utils.configure_logging("WARNING")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
