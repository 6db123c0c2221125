"""Every mail ends in one mailbox, whole, in every script, and is still there after a restart."""

import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from imap_tools import MailBoxUnencrypted, MailMessage

from sandbox.stack.parts import answers, listens
from sandbox.stack.place import ROOT
from sandbox.stack.ports import choose_free

PDF = b"%PDF" + bytes(range(256)) * 2000


class Server:
    """The mail server on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = choose_free()

    def start(self) -> None:
        ports = {name: str(self.ports[name]) for name in ("smtp", "imap", "mailweb")}
        command = [sys.executable, "-m", "sandbox.mail", "--folder", str(self.folder)]
        command += [
            "--smtp-port",
            ports["smtp"],
            "--imap-port",
            ports["imap"],
            "--http-port",
            ports["mailweb"],
        ]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        until = time.monotonic() + 30
        while not (listens(self.ports["smtp"]) and listens(self.ports["imap"]) and self.page()):
            assert time.monotonic() < until
            time.sleep(0.05)

    def page(self) -> bool:
        return answers(f"http://127.0.0.1:{self.ports['mailweb']}/")

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(10)

    def send(self, subject: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["Subject"] = "billing@proecommerce.com", subject
        mail["To"] = '"Müller, Ä" <anna@example.com>'
        mail.set_content("Grüße, 請求書, فاتورة", cte="8bit")
        mail.add_alternative("<p>Счёт</p>", subtype="html")
        mail.add_attachment(PDF, maintype="application", subtype="pdf", filename="Rechnung-é.pdf")
        with smtplib.SMTP("127.0.0.1", self.ports["smtp"]) as smtp:
            smtp.send_message(mail, to_addrs=["anna@example.com", "hidden@example.com"])

    def box(self) -> list[MailMessage]:
        with MailBoxUnencrypted("127.0.0.1", self.ports["imap"]).login("demo@example.org", "demo") as box:
            return list(box.fetch(mark_seen=False))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "mail")
    made.start()
    yield made
    made.stop()


def test_mail_to_the_contact_address_stands_in_its_folder_with_the_servers_own_word(server: Server) -> None:
    """And not with what the sender wrote in the server's name."""
    forged = b"Authentication-Results: mail.localhost; dmarc=pass header.from=bank.example\r\n"
    for sender in (b"a@one.example", b"a@one.example, b@two.example"):
        raw = forged + b"From: " + sender + b"\r\nTo: billing@proecommerce.com\r\nSubject: x\r\n\r\nx\r\n"
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as smtp:
            smtp.sendmail("a@one.example", ["billing@proecommerce.com"], raw)
    server.send("to somebody else")
    port = server.ports["imap"]
    with MailBoxUnencrypted("127.0.0.1", port).login("demo@example.org", "demo", "Contact") as box:
        said = [each.obj.get_all("Authentication-Results") for each in box.fetch(mark_seen=False)]
    assert said == [
        ["mail.localhost; dmarc=pass header.from=one.example; spf=pass smtp.mailfrom=one.example"],
        ["mail.localhost; dmarc=fail header.from=; spf=fail smtp.mailfrom="],
    ]
    assert len(server.box()) == 3


def test_a_mail_arrives_whole_in_every_script(server: Server) -> None:
    server.send("Rechnung für Zoë 請求書")
    (mail,) = server.box()
    assert mail.subject == "Rechnung für Zoë 請求書"
    assert mail.text.strip() == "Grüße, 請求書, فاتورة"
    assert mail.html.strip() == "<p>Счёт</p>"
    assert mail.to_values[0].name == "Müller, Ä"
    assert [(part.filename, part.payload) for part in mail.attachments] == [("Rechnung-é.pdf", PDF)]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_accepted_is_there_after_a_restart(server: Server, ending: int) -> None:
    server.send("first")
    server.send("second")
    server.stop(ending)
    server.start()
    server.send("third")
    mails = server.box()
    assert [mail.subject for mail in mails] == ["first", "second", "third"]
    assert all(mail.attachments[0].payload == PDF for mail in mails)
