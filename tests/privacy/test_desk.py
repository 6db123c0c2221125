"""The desk: a person works through the queue, in their own words and in time; nothing of it is a ticket."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.utils import DatabaseError
from django.test import Client

from accounts import colleagues, email_changing
from accounts.email_changing import Wish
from accounts.errors import Refused as AccountsRefused
from accounts.models import Session, User
from accounts.people import create_user
from audit.models import AuditEvent
from audit.verifying import verify
from privacy import answering, checklists, holds, receiving, reminding, underage
from privacy.answering import Answer
from privacy.classifying import Right
from privacy.deadlines import Law
from privacy.errors import Refused
from privacy.finding import Found
from privacy.jobs.requests import plan_requests
from privacy.models import DataRequest, Disclosure, Hold, Reply, Restriction, UnderageReport
from privacy.receiving import Written
from privacy.staffing import Colleague, staff
from privacy.subjects import Subject
from tenants import clock
from tenants.context import enter, enter_public
from tenants.models import Job
from tests import logging_in
from tests.accounts.conftest import log_in
from tests.billing.portal.making import Account
from tests.privacy.mails import Box, links_in, run_jobs_of, sent
from tests.privacy.spoofs import ON_FILE, mail_of

MINE = (
    "Dear Ida, I looked at your account and your two invoices; the phone number was wrong and is mended now."
)
DESK = "/admin/privacy/datarequest/"


@pytest.fixture(autouse=True)
def _at(now: datetime, platform: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)


@pytest.fixture
def ask(actor: Any, now: datetime) -> Callable[..., DataRequest]:
    """Write a request down."""

    def make(days_ago: int = 0, law: Law = Law.GDPR, right: Right = Right.ACCESS, **more: Any) -> DataRequest:
        values = {
            "channel": "letter",
            "address": f"{uuid4().hex[:8]}@holm.example",
            "text": "Tell me.",
        } | more
        day = now - timedelta(days=days_ago)
        written = Written(law=law, right=right, received_on=day.date(), **values)
        return receiving.write_down(written, actor=actor, now=day)

    return make


def actions_on(pk: object) -> list[str]:
    return list(
        AuditEvent.objects.filter(subject_id=str(pk)).order_by("seq").values_list("action", flat=True)
    )


def test_the_queue_shows_what_is_due_first_and_what_is_overdue_cannot_be_missed(
    desk: Client, ask: Callable[..., DataRequest]
) -> None:
    soon, late, done = ask(20), ask(40), ask(10)
    DataRequest.objects.filter(pk=done.pk).update(state="dismissed", closed_at=clock.now())
    page = desk.get(DESK).content.decode()
    assert page.index(late.address) < page.index(soon.address)
    assert done.address not in page
    assert re.search(r'<span class="overdue">\d+ days over</span>', page)
    assert done.address in desk.get(f"{DESK}?which=closed").content.decode()
    for path in ("/admin/", "/admin/tenants/tenant/", DESK):
        assert "overdue." in desk.get(path).content.decode(), path
    DataRequest.objects.filter(pk=late.pk).update(state="dismissed", closed_at=clock.now())


def test_a_person_takes_sorts_asks_back_and_answers(
    desk: Client, robin: User, ask: Callable[..., DataRequest], now: datetime
) -> None:
    request = ask(right=Right.UNCLEAR)
    path = f"{DESK}{request.pk}/change/"
    assert b"Not proven" in desk.get(path).content
    assert desk.post(path, {"do": "claim"}).status_code == 302
    assert desk.post(path, {"do": "sort", "law": "ccpa", "right": "delete"}).status_code == 302
    request.refresh_from_db()
    assert (request.assigned_id, request.law, request.right) == (str(robin.pk), "ccpa", "delete")
    assert request.due_on == (now + timedelta(days=45)).date() and request.acknowledge_by is not None
    asked_back = {"do": "answer", "text": "Hello, which of the three workspaces do you mean, Ida?"}
    assert desk.post(path, asked_back).status_code == 302
    request.refresh_from_db()
    assert request.is_open and request.acknowledged_at == now
    assert desk.post(path, {"do": "answer", "text": MINE, "is_final": "on"}).status_code == 302
    request.refresh_from_db()
    assert (request.state, request.closed_at) == ("answered", now)
    for reply in request.replies.all():
        assert run_jobs_of(reply_id=str(reply.pk)) == ["privacy.mail_reply"]
        reply.refresh_from_db()
        assert reply.sent_at == now and reply.written_by == f"{robin.name} <{robin.email}>"
    assert [to for to, _ in sent()] == [request.address] * 2
    assert MINE in sent()[1][1]
    assert actions_on(request.pk) == [
        "request.received", "request.claimed", "request.sorted", "request.replied", "request.answered"
    ]  # fmt: skip
    event = AuditEvent.objects.get(action="request.answered", subject_id=str(request.pk))
    assert event.actor_id == str(robin.pk)
    page = desk.get(path).content.decode()
    assert "What was written back" in page and "Write to them" not in page
    assert desk.post(path, {"do": "answer", "text": MINE}).status_code == 422
    assert verify().problem is None


@pytest.mark.parametrize("how", ["letter", "phone", "no DMARC", "moved"])
def test_the_link_is_sent_to_the_address_on_file_when_a_person_asks_for_it(
    how: str,
    desk: Client,
    box: Box,
    ida: Account,
    alpha: Any,
    ask: Callable[..., DataRequest],
    actor: Any,
    now: datetime,
) -> None:
    address = ON_FILE
    if how == "moved":
        address = "moved@holm.example"
        with enter(alpha):
            changed = now - timedelta(days=3)
            email_changing.complete(
                email_changing.ask(Wish(ida.user, address), actor=actor, now=changed),
                actor=actor,
                now=changed,
            )
    if how in {"letter", "phone"}:
        request = ask(channel=how, address=address.upper())
    else:
        box.put(mail_of(sender=address, **({"checked": ""} if how == "no DMARC" else {})), at=now)
        (request,) = box.read()
        run_jobs_of(request_id=str(request.pk))
    assert not any(links_in(text) for _, text in sent())
    path = f"{DESK}{request.pk}/change/"
    assert b"Send the link to the address on file" in desk.get(path).content
    assert desk.post(path, {"do": "link"}).status_code == 302
    assert run_jobs_of(request_id=str(request.pk)) == ["privacy.mail_link"]
    to, text = sent()[-1]
    (link,) = links_in(text)
    assert to == address
    assert Client(HTTP_HOST=settings.SITE_HOST).post(link).status_code == 200
    request.refresh_from_db()
    assert request.state == "confirmed"
    assert desk.post(path, {"do": "link"}).status_code == 422
    assert actions_on(request.pk)[-3:] == ["request.link_asked", "request.link_made", "request.confirmed"]


def test_no_link_is_sent_where_nobody_has_the_address_on_file(
    desk: Client, ask: Callable[..., DataRequest]
) -> None:
    request = ask(address="nobody@holm.example")
    answer = desk.post(f"{DESK}{request.pk}/change/", {"do": "link"})
    assert answer.status_code == 422 and b"Nobody has this address on file" in answer.content
    assert run_jobs_of(request_id=str(request.pk)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" \n…\t!!! ", "empty"),
        ("Ok, done.", "empty"),
        (MINE, "form letter"),
        (MINE.upper().replace("Ida", "Kim") + "  !", "form letter"),
        (MINE.replace("two", "7").replace("Ida", "Bob"), "form letter"),
        (checklists.as_text(Right.ACCESS), "checklist"),
        (checklists.as_text(Right.DELETE) + " Best, R.", "checklist"),
    ],
    ids=range(8),
)
def test_empty_copied_and_template_answers_are_refused(
    text: str, said: str, ask: Callable[..., DataRequest], colleague: Colleague, actor: Any, now: datetime
) -> None:
    answering.reply(ask().pk, Answer(MINE, True), by=colleague, actor=actor, now=now)
    request = ask()
    with pytest.raises(Refused, match=said):
        answering.reply(request.pk, Answer(text, True), by=colleague, actor=actor, now=now)
    request.refresh_from_db()
    assert request.is_open and not request.replies.exists()
    own = "Dear Kim, nothing of yours is left here: the workspace was closed in 2019 and purged a year later."
    assert answering.reply(request.pk, Answer(own, True), by=colleague, actor=actor, now=now)


def test_taking_longer_is_possible_once_in_time_with_a_reason(
    ask: Callable[..., DataRequest], actor: Any, now: datetime
) -> None:
    request = ask(20)
    with pytest.raises(Refused, match="why"):
        answering.extend(request.pk, because=" ", actor=actor, now=now)
    answering.extend(request.pk, because="Your data lie in five workspaces.", actor=actor, now=now)
    request.refresh_from_db()
    assert request.extended_until is not None and request.due == request.extended_until
    assert (request.due - request.due_on).days >= 59
    assert run_jobs_of(request_id=str(request.pk)) == ["privacy.mail_extension"]
    assert "five workspaces" in sent()[0][1] and "complain" in sent()[0][1]
    with pytest.raises(Refused, match="once"):
        answering.extend(request.pk, because="Again", actor=actor, now=now)
    with pytest.raises(Refused, match="too late"):
        answering.extend(ask(31).pk, because="Forgot", actor=actor, now=now)


def test_reminders_go_to_whoever_has_it_and_to_all_when_it_is_overdue(
    ask: Callable[..., DataRequest],
    colleague: Colleague,
    actor: Any,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = create_user(
        email="kim@pro.example", name="Kim", role="platform", password=None, actor=actor, now=now
    )
    request = ask(law=Law.CCPA)
    answering.claim(request.pk, by=colleague, actor=actor, now=now)
    told: dict[int, list[str]] = {}
    for day in range(48):
        later = now + timedelta(days=day)
        monkeypatch.setattr(clock, "now", lambda later=later: later)
        for _ in range(2):  # the job comes every hour; the mail goes once
            reminding.remind(now=later)
        before = len(sent())
        run_jobs_of(request_id=str(request.pk))
        if len(sent()) > before:
            told[day] = sorted(to for to, _ in sent()[before:])
    everybody = {each.email for each in staff()}
    assert {colleague.email, other.email} <= everybody
    assert told.pop(46) == told.pop(47) == sorted(everybody)
    assert told == {12: [colleague.email], 23: [colleague.email], 36: [colleague.email]}
    assert "Acknowledge" in sent()[0][1] and "OVERDUE by 1 days" in sent()[3][1]


def test_what_was_confirmed_cannot_be_dismissed(
    ask: Callable[..., DataRequest], actor: Any, now: datetime
) -> None:
    request, confirmed = ask(), ask()
    with pytest.raises(Refused, match="why"):
        answering.dismiss(request.pk, because="", actor=actor, now=now)
    assert (
        answering.dismiss(request.pk, because="An advertisement", actor=actor, now=now).state == "dismissed"
    )
    DataRequest.objects.filter(pk=confirmed.pk).update(confirmed_at=now, state="confirmed")
    with pytest.raises(Refused, match="needs an answer"):
        answering.dismiss(confirmed.pk, because="No time", actor=actor, now=now)


def test_a_request_by_letter_is_written_down(desk: Client, ida: Account, now: datetime) -> None:
    page = desk.get(f"{DESK}write-down/")
    assert page.status_code == 200
    form = {
        "channel": "phone", "received_on": "2026-11-20", "address": "IDA@holm.example", "law": "gdpr",
        "right": "port", "text": "She wants it all as CSV.",
    }  # fmt: skip
    assert desk.post(f"{DESK}write-down/", form | {"address": "nobody"}).status_code == 422
    assert desk.post(f"{DESK}write-down/", form)["Location"] == DESK
    request = DataRequest.objects.get(address="IDA@holm.example")
    assert request.due_on.isoformat() == "2026-12-20" and request.subjects.count() == 2


class TestUnder16:
    def test_a_report_freezes_at_once_and_a_decision_sets_free(
        self, desk: Client, ida: Account, alpha: Any, actor: Any, now: datetime
    ) -> None:
        browser = Client(HTTP_HOST="alpha.localhost")
        with enter(alpha):
            User.objects.filter(pk=ida.user.pk).update(is_active=True)
            logging_in.enter(browser, ida.user)
        assert browser.get("/account/sessions/").status_code == 200
        form = {
            "workspace": "alpha",
            "kind": "customer",
            "who": "ida@holm.example",
            "ground": "Her mother says 14.",
        }
        page = "/admin/privacy/underagereport/report/"
        assert desk.post(page, form | {"who": "x@holm.example"}).status_code == 422
        assert desk.post(page, form).status_code == 302
        report = UnderageReport.objects.get(subject_id=str(ida.customer.pk))
        assert "mother" in report.ground.reveal() and report.shut_out == [str(ida.user.pk)]
        assert browser.get("/account/sessions/").status_code == 302
        with enter(alpha):
            assert not User.objects.get(pk=ida.user.pk).is_active
            assert not Session.objects.filter(user=ida.user, ended_at__isnull=True).exists()
            restriction = Restriction.objects.get(subject_id=str(ida.customer.pk))
            assert restriction.lifted_at is None
        assert log_in(Client(HTTP_HOST="alpha.localhost"), "ida@holm.example").status_code == 422
        assert b"to be under 16: frozen, to be decided" in desk.get("/admin/").content
        assert desk.post(page, form).status_code == 422  # frozen already
        decide = f"/admin/privacy/underagereport/{report.pk}/change/"
        assert b"Her mother says 14." in desk.get(decide).content
        assert desk.post(decide, {"decision": "free", "reason": ""}).status_code == 422
        assert desk.post(decide, {"decision": "free", "reason": "Passport seen: 17"}).status_code == 302
        with enter(alpha):
            assert User.objects.get(pk=ida.user.pk).is_active
            restriction.refresh_from_db()
            assert restriction.lifted_at == now
            assert verify().problem is None
        assert actions_on(report.pk) == ["underage.reported", "underage.decided"]

    def test_an_owner_cannot_let_a_frozen_colleague_in_again(
        self, alpha: Any, actor: Any, now: datetime
    ) -> None:
        with enter(alpha):
            owner, kid = (
                create_user(email=f"{n}@lind.example", name=n, role=r, password=None, actor=actor, now=now)
                for n, r in (("owner", "owner"), ("kid", "support"))
            )
        whom = Found("t_alpha", Subject("user", str(kid.pk)))
        underage.freeze(whom, underage.Report("She said so."), actor=actor, now=now)
        with enter(alpha), pytest.raises(AccountsRefused, match="shut this person out"):
            colleagues.reactivate(kid.pk, by=owner, actor=actor, now=now)


class TestDisclosures:
    FORM = {
        "authority": "LKA Berlin", "reference": "Az. 4711/26", "basis": "§ 100g StPO, order of 20 November",
        "received_on": "2026-11-20", "about": "Ida Holm of alpha", "disclosed": "Customer: name, email",
    }  # fmt: skip

    def test_a_disclosure_is_on_record_with_the_files_hash(self, desk: Client, robin: User) -> None:
        data = b"name,email\r\nIda Holm,ida@holm.example\r\n"
        file = SimpleUploadedFile("holm.csv", data)
        assert desk.post("/admin/privacy/disclosure/record/", self.FORM | {"file": file}).status_code == 302
        made = Disclosure.objects.get(reference="Az. 4711/26")
        assert made.file_sha256 == hashlib.sha256(data).hexdigest() and made.decided_id == str(robin.pk)
        assert b"LKA Berlin" in desk.get("/admin/privacy/disclosure/").content
        assert desk.get(f"/admin/privacy/disclosure/{made.pk}/change/").status_code == 200
        assert actions_on(made.pk) == ["disclosure.recorded"]
        for change in (
            lambda: Disclosure.objects.filter(pk=made.pk).update(disclosed="nothing"),
            lambda: Disclosure.objects.filter(pk=made.pk).delete(),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()

    @pytest.mark.parametrize("missing", ["authority", "reference", "basis", "about", "disclosed", "file"])
    def test_without_basis_reference_or_file_nothing_is_recorded(self, missing: str, desk: Client) -> None:
        form: dict[str, Any] = self.FORM | {"file": SimpleUploadedFile("x.csv", b"x")}
        form.pop(missing)
        answer = desk.post("/admin/privacy/disclosure/record/", form)
        assert answer.status_code == 422
        assert not Disclosure.objects.filter(authority="LKA Berlin").exists()


class TestHolds:
    def test_a_hold_is_placed_reviewed_and_lifted(
        self,
        desk: Client,
        ida: Account,
        alpha: Any,
        robin: User,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        form = {"workspace": "alpha", "kind": "user", "who": "ida@holm.example", "reason": "Case 12 O 3/26"}
        place = "/admin/privacy/holds/place/"
        assert desk.get(place).status_code == 200
        assert desk.post(place, form | {"reason": ""}).status_code == 422
        assert desk.post(place, form | {"review_on": "2027-06-01"}).status_code == 422
        assert desk.post(place, form).status_code == 302
        subject = Subject("user", str(ida.user.pk))
        with enter(alpha):
            hold = Hold.objects.get(subject_id=subject.id)
            assert holds.is_held(subject)
        assert hold.review_on == (now + timedelta(days=90)).date()
        assert not holds.is_held(subject)  # in the platform's schema there is none
        assert b"Case 12 O 3/26" in desk.get("/admin/privacy/holds/").content
        later = now + timedelta(days=84)
        monkeypatch.setattr(clock, "now", lambda: later)
        assert reminding.remind_of_reviews(now=later - timedelta(days=2)) == 0
        assert reminding.remind_of_reviews(now=later) == 1
        assert run_jobs_of(staff_id=str(robin.pk)) == ["privacy.mail_reviews"]
        assert sent()[0][0] == robin.email and "/admin/privacy/holds/" in sent()[0][1]
        review = f"/admin/privacy/holds/t_alpha/{hold.pk}/review/"
        assert desk.get(review).status_code == 302  # the session of three months ago is over
        with enter_public():
            logging_in.enter(desk, robin, methods={"password", "totp"})
        assert desk.post(review, {"reason": "Appeal pending"}).status_code == 302
        assert desk.post(f"/admin/privacy/holds/t_alpha/{hold.pk}/lift/", {"reason": " "}).status_code == 422
        assert (
            desk.post(f"/admin/privacy/holds/t_alpha/{hold.pk}/lift/", {"reason": "Settled"}).status_code
            == 302
        )
        with enter(alpha):
            hold.refresh_from_db()
            assert (hold.reason, hold.lifted_because) == ("Appeal pending", "Settled")
            assert not holds.is_held(subject)
            assert actions_on(subject.id)[-3:] == ["hold.placed", "hold.reviewed", "hold.lifted"]

    def test_a_whole_workspace_is_held_in_the_platforms_schema(self, desk: Client, alpha: Any) -> None:
        form = {"workspace": "", "kind": "tenant", "who": "alpha", "reason": "Case 13"}
        assert desk.post("/admin/privacy/holds/place/", form).status_code == 302
        assert holds.is_held(Subject("tenant", str(alpha.pk)))


def test_the_planner_asks_for_the_mailbox_and_the_reminders(now: datetime) -> None:
    at = now + timedelta(days=3650)
    for minute in range(20):
        plan_requests(at + timedelta(minutes=minute))
    keys = Job.objects.filter(key__contains=f"{at:%Y-%m-%d}").values_list("name", flat=True)
    assert sorted(keys) == ["privacy.read_mailbox"] * 4 + ["privacy.remind", "privacy.remind_of_reviews"]


def test_replies_are_kept_sealed(
    ask: Callable[..., DataRequest], colleague: Colleague, actor: Any, now: datetime
) -> None:
    made = answering.reply(ask().pk, Answer(MINE, False), by=colleague, actor=actor, now=now)
    assert b"phone number" not in bytes(Reply.objects.get(pk=made.pk).text.blob)
