"""The fourteen kinds of spoofed mail, and what a success of one would have changed."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import Customer, Session, User
from privacy.models import Restriction
from tenants.context import enter
from tests.privacy.mails import message, results

ON_FILE = "ida@holm.example"
EVIL = "evil.example"
# Of each kind of assurance, by name: the messages, and whether one may cause a link to the address on file.
Spoof = tuple[list[bytes], bool]
NOW = datetime.fromisoformat("2026-11-23T09:30:00+00:00")


def mail_of(**how: Any) -> bytes:
    return message(dated=NOW, **how)


SPOOFS: dict[str, Spoof] = {
    "forged From": ([mail_of(checked=results("holm.example", dmarc="fail", of=EVIL))], False),
    "look-alike domain": (
        [mail_of(sender="Ida Holm <ida@ho1m.example>", checked=results("ho1m.example"))], False
    ),
    "Reply-To": ([mail_of(more=(f"Reply-To: ida@{EVIL}", f"Return-Path: <ida@{EVIL}>"))], True),
    "two From headers": ([mail_of(more=(f"From: Ida <ida@{EVIL}>",))], False),
    "display name": (
        [mail_of(sender=f'"ida@holm.example" <ida@{EVIL}>', checked=results(EVIL))], False
    ),
    "DKIM l=": (
        [
            mail_of(
                checked=results("holm.example", spf="none"),
                more=("DKIM-Signature: v=1; a=rsa-sha256; d=holm.example; s=s1; l=20; h=from; b=AA==",),
            )
        ],
        False,
    ),
    "expired key": (
        [mail_of(checked=results("holm.example", dmarc="fail", dkim="permerror", spf="softfail"))], False
    ),
    "forwarded list": ([mail_of(more=("List-Id: <hosting.lists.example>",))], False),
    "forged Authentication-Results": (
        [
            mail_of(checked="", more=(f"Authentication-Results: mx.{EVIL}; dmarc=pass header.from=holm",)),
            mail_of(
                checked=results("holm.example", dmarc="fail", of=EVIL),
                more=(f"Authentication-Results: {results('holm.example')}",),
            ),
            mail_of(checked="", more=(f"X: y\r\n Authentication-Results: {results('holm.example')}",)),
        ],
        False,
    ),
    "sub-domain": (
        [mail_of(sender="ida@mail.holm.example", checked=results("mail.holm.example", of=EVIL))], False
    ),
    "Unicode": (
        [
            mail_of(sender="ıda@holm.example"),
            mail_of(sender="ida@hоlm.example", checked=results("hоlm.example")),
            mail_of(sender="=?utf-8?q?ida=40holm=2Eexample?= <ida@holm.example\u202e>"),
        ],
        False,
    ),
    "replayed DKIM": (
        [message(dated=NOW - timedelta(days=40), checked=results("holm.example", spf="fail"))], False
    ),
    "null sender": ([mail_of(more=("Return-Path: <>",))], False),
    "autoresponder loop": (
        [mail_of(subject="Re: We have your message", more=("Auto-Submitted: auto-replied",))], False
    ),
}  # fmt: skip


def held(alpha: Any) -> list[Any]:
    """What a success of the attacker would have changed."""
    with enter(alpha):
        return [
            list(Customer.objects.order_by("pk").values_list()),
            list(User.objects.order_by("pk").values_list()),
            list(Restriction.objects.values_list()),
            list(Session.objects.values_list("pk", "ended_at")),
        ]
