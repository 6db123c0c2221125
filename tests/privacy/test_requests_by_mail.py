"""A message is a trigger, never a proof: what genuine, forged, broken and automatic ones come to."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client

from accounts import email_changing
from accounts.email_changing import Wish
from accounts.models import Customer, User
from audit.models import AuditEvent
from privacy import confirming, incoming, receiving
from privacy.authenticity import judge
from privacy.errors import Refused
from privacy.jobs import requests as request_jobs
from privacy.mailbox_gateway import ImapMailbox
from privacy.models import DataRequest, ReceivedMail
from tenants import clock
from tenants.context import enter, enter_public
from tenants.models import Job
from tests.billing.portal.making import Account
from tests.privacy.mails import OURS, Box, links_in, message, results, run_jobs_of, sent
from tests.privacy.spoofs import EVIL, ON_FILE, SPOOFS, held, mail_of


def test_each_request_is_in_the_queue_and_a_machine_gets_no_answer(
    box: Box, ida: Account, now: datetime
) -> None:
    """The requests of spoofed mails wait for a person; bounces and auto-replies are noted, never answered."""
    box.put(*SPOOFS["null sender"][0], *SPOOFS["autoresponder loop"][0], *SPOOFS["forged From"][0], at=now)
    requests = box.read()
    assert [each.is_authentic for each in requests] == [False]
    assert sorted(ReceivedMail.objects.filter(received_at=now).values_list("outcome", "why")) == [
        ("automatic", "it has no sender to return to"),
        ("automatic", "it says that it was submitted automatically"),
        ("request", ""),
    ]
    assert run_jobs_of(request_id=str(requests[0].pk)) == []


def test_an_agent_that_asks_by_machine_is_heard_but_not_answered(
    box: Box, ida: Account, now: datetime
) -> None:
    box.put(
        mail_of(
            subject="CCPA request: delete", text="On behalf of Ida", more=("Auto-Submitted: auto-generated",)
        ),
        at=now,
    )
    (request,) = box.read()
    assert (request.law, request.right) == ("ccpa", "delete")
    assert "agent" in request.note
    assert run_jobs_of(request_id=str(request.pk)) == []


def test_a_genuine_request_is_confirmed_by_the_link_once_within_a_day(
    box: Box, ida: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put(mail_of(), at=now)
    (request,) = box.read()
    assert (request.law, request.right, request.is_authentic) == ("gdpr", "access", True)
    assert request.due_on == (now + timedelta(days=30)).date()
    found = {(each.schema_name, each.subject_kind) for each in request.subjects.all()}
    assert found == {("t_alpha", "customer"), ("t_alpha", "user")}
    assert run_jobs_of(request_id=str(request.pk)) == ["privacy.mail_receipt", "privacy.mail_link"]
    (receipt, link) = sent()
    assert [receipt[0], link[0]] == [ON_FILE, ON_FILE]
    (path,) = links_in(link[1])
    token = path.split("/")[-2]
    request.refresh_from_db()
    assert request.acknowledged_at == now
    assert token not in str(list(DataRequest.objects.filter(pk=request.pk).values())) and len(token) >= 43
    visitor = Client(HTTP_HOST=site.SITE_HOST)
    assert b"Was it you?" in visitor.get(path).content
    request.refresh_from_db()
    assert request.state == "linked"  # looking confirms nothing
    forger = Client(HTTP_HOST=site.SITE_HOST, enforce_csrf_checks=True)
    assert forger.post(path).status_code == 403
    answered = visitor.post(path)
    assert answered.status_code == 200 and b"Canary" not in answered.content
    request.refresh_from_db()
    assert (request.state, request.confirmed_at) == ("confirmed", now)
    assert (visitor.get(path).status_code, visitor.post(path).status_code) == (410, 410)
    with enter_public():
        events = AuditEvent.objects.filter(subject_id=str(request.pk)).order_by("seq")
        assert list(events.values_list("action", flat=True)) == [
            "request.received", "request.acknowledged", "request.link_made", "request.confirmed"
        ]  # fmt: skip


def test_a_link_is_void_after_a_day_and_when_a_newer_one_was_made(
    box: Box, ida: Account, now: datetime, actor: Any
) -> None:
    box.put(mail_of(), at=now)
    (request,) = box.read()
    with enter_public():
        first = confirming.make_link(request.pk, actor=actor, now=now)
        second = confirming.make_link(request.pk, actor=actor, now=now)
        assert first is not None and second is not None and first.to == ON_FILE
        for token, when in ((first.token, now), (second.token, now + timedelta(hours=24)), ("none", now)):
            with pytest.raises(Refused):
                confirming.confirm(token, actor=actor, now=when)
        last = now + timedelta(hours=24) - timedelta(seconds=1)
        assert confirming.confirm(second.token, actor=actor, now=last).state == "confirmed"


def test_the_link_goes_nowhere_once_the_address_on_file_is_another(
    box: Box, ida: Account, alpha: Any, now: datetime, actor: Any
) -> None:
    """The address is read when the mail is sent, not when the message came."""
    box.put(mail_of(), at=now)
    (request,) = box.read()
    with enter(alpha):
        Customer.objects.filter(pk=ida.customer.pk).update(email="new@holm.example")
        User.objects.filter(pk=ida.user.pk).update(email="new@holm.example")
    assert confirming.make_link(request.pk, actor=actor, now=now) is None


def test_unknown_and_known_senders_get_the_same_words_once_a_day(
    box: Box, ida: Account, now: datetime
) -> None:
    stranger = {"sender": "Kim <kim@other.example>", "checked": results("other.example")}
    box.put(mail_of(), mail_of(**stranger), mail_of(**stranger), at=now)
    known, first, second = box.read()
    assert known.address == ON_FILE
    for request in (known, first, second):
        run_jobs_of(request_id=str(request.pk))
    told = {to: text for to, text in sent() if "We have your message" in text}
    assert set(told) == {ON_FILE, "kim@other.example"}
    assert len(sent()) == 3  # and the link
    mine, theirs = told[ON_FILE], told["kim@other.example"]
    assert mine.replace(known.reference, "") == theirs.replace(first.reference, "").replace(
        second.reference, ""
    )


def test_links_to_one_address_are_few_a_day(box: Box, ida: Account, now: datetime) -> None:
    for _ in range(5):
        box.put(mail_of(), at=now)
        (request,) = box.read()
        run_jobs_of(request_id=str(request.pk))
    assert sum(bool(links_in(text)) for _, text in sent()) == receiving.LINKS_A_DAY


@pytest.mark.parametrize("who", ["user", "customer"])
def test_an_address_that_is_new_on_file_needs_a_person_and_the_old_one_is_told(
    who: str, box: Box, ida: Account, alpha: Any, now: datetime, actor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = now - timedelta(days=13)
    with enter(alpha):
        if who == "user":
            change = email_changing.ask(Wish(ida.user, "thief@evil.example"), actor=actor, now=changed)
            email_changing.complete(change, actor=actor, now=changed)
        else:
            from accounts.customers import change_customer

            change_customer(ida.customer, email="thief@evil.example", actor=actor, now=changed)
    theft = mail_of(sender="thief@evil.example", checked=results(EVIL))
    box.put(theft, at=now)
    (request,) = box.read()
    assert "changed less than 14 days ago" in request.note
    assert run_jobs_of(request_id=str(request.pk)) == ["privacy.mail_receipt", "privacy.mail_old_address"]
    job = Job.objects.get(name="privacy.mail_old_address", args__request_id=str(request.pk))
    assert job.args == {"request_id": str(request.pk)}, "an address stands in no job"
    assert not any(links_in(text) for _, text in sent())
    assert sent()[-1][0] == ON_FILE and "Nothing was told, changed or deleted" in sent()[-1][1]
    later = now + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    box.put(message(sender="thief@evil.example", checked=results(EVIL), dated=later), at=later)
    (settled,) = box.read()
    assert run_jobs_of(request_id=str(settled.pk)) == ["privacy.mail_receipt", "privacy.mail_link"]


def test_a_message_is_taken_in_once_and_marked_only_when_it_is_written(
    box: Box, ida: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = mail_of(message_id="same")
    box.put(one, at=now)

    def fails(*args: Any, **kwargs: Any) -> None:
        raise OSError("the database is gone")

    with monkeypatch.context() as broken:
        broken.setattr(receiving, "record", fails)
        assert box.read() == []
    assert box.unread() == 1
    assert len(box.read()) == 1
    assert box.unread() == 0
    box.put(one, mail_of(message_id="same", text="another text"), at=now)  # replayed
    assert box.read() == []
    assert box.unread() == 0


def test_a_message_that_a_colleague_opened_first_is_taken_in_all_the_same(
    box: Box, ida: Account, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put(mail_of(message_id="old"), at=now - timedelta(days=60), flags=r"(\Seen)")  # before our time
    box.put(mail_of(message_id="opened"), at=now, flags=r"(\Seen)")
    assert len(box.read()) == 1 and box.read() == []
    # one that fails is tried again, though it was opened and others went past it
    usual = incoming.read

    def trips(raw: bytes) -> incoming.Letter:
        if b"<stumbling@" in raw:
            raise OSError("the database is gone")
        return usual(raw)

    box.put(mail_of(message_id="stumbling"), mail_of(message_id="next"), at=now, flags=r"(\Seen)")
    with monkeypatch.context() as broken:
        broken.setattr(receiving, "read", trips)
        assert len(box.read()) == 1
    assert len(box.read()) == 1 and box.read() == []
    # the worker was away for longer than is looked back: the place tells what is new
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=90))
    box.put(mail_of(message_id="long ago"), at=now + timedelta(days=1), flags=r"(\Seen)")
    assert len(box.read()) == 1
    # a copy is fetched once and then known by its place, whatever becomes of its mark as read
    box.put(mail_of(message_id="opened"), at=now + timedelta(days=80), flags=r"(\Seen)")
    assert box.read() == []
    fetched: list[int] = []
    monkeypatch.setattr(ImapMailbox, "fetch", lambda _, uid: fetched.append(uid))
    assert box.read() == [] and fetched == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe nothing of a mail",
        b"From: <>\r\nFrom:\r\n\r\n",
        b"From: =?x-unknown?q?=FF?= <a@b.example>\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed\r\n\r\n",
        b"Subject: " + b"=?utf-8?b?////?=" * 500 + b"\r\nDate: nonsense\r\n\r\n",
        b"From: " + b"a@b.example, " * 5000 + b"\r\n\r\nx",
        b"Content-Transfer-Encoding: base64\r\nContent-Type: text/html\r\n\r\n!!!!<script>x</script>",
        b"From: a:b@c.example;\r\n\r\n",
    ],
    ids=range(9),
)
def test_whatever_it_is_made_of_it_is_harmless_and_in_the_queue(
    raw: bytes, box: Box, ida: Account, now: datetime
) -> None:
    letter = incoming.read(raw)
    assert not judge(letter, authserv_id=OURS, now=now).passes
    assert "<script" not in letter.text
    box.put(b"X-Run: " + box.folder.encode() + b"\r\n" + raw, at=now)
    (request,) = box.read()
    assert box.unread() == 0
    assert run_jobs_of(request_id=str(request.pk)) == []


def test_of_a_giant_only_the_beginning_is_read(box: Box, ida: Account, now: datetime) -> None:
    box.put(mail_of(text="Bitte löschen. " + "x" * 3_000_000), at=now)
    (request,) = box.read()
    assert request.was_cut and request.is_authentic
    assert len(request.message.reveal()) < 60_000


def test_the_message_lies_sealed(box: Box, ida: Account, now: datetime) -> None:
    box.put(mail_of(text="a very private matter"), at=now)
    (request,) = box.read()
    assert "a very private matter" in request.message.reveal()
    assert b"private matter" not in bytes(request.message.blob)


def test_without_our_servers_name_nobody_is_believed(
    box: Box, ida: Account, now: datetime, settings: Any
) -> None:
    settings.MAIL_AUTHSERV_ID = ""
    box.put(mail_of(), at=now)
    (request,) = box.read()
    assert not request.is_authentic and "MAIL_AUTHSERV_ID" in request.verdict
    settings.PRIVACY_IMAP_URL = ""
    with enter_public():
        request_jobs.read_mailbox()  # nothing is read, and nothing fails


def test_word_of_a_child_reaches_the_staff_at_once_and_freezes_nobody_by_itself(
    box: Box, ida: Account, robin: User, now: datetime, alpha: Any
) -> None:
    before = held(alpha)
    box.put(mail_of(subject="My son", text="My son is 14 years old and has an account.", checked=""), at=now)
    (request,) = box.read()
    assert request.right == "under_16"
    assert run_jobs_of(request_id=str(request.pk), staff_id=str(robin.pk)) == ["privacy.mail_child"]
    assert sent()[0][0] == robin.email and "AT ONCE" in sent()[0][1]
    assert held(alpha) == before
