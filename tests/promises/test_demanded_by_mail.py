"""What people may demand: D8 to D11, by mail and at the desk of those who answer."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from accounts.models import Customer, Session, User
from audit.models import AuditEvent
from privacy import answering, reminding, underage
from privacy.answering import Answer
from privacy.authorities import AUTHORITIES, ELSEWHERE, authority_of
from privacy.classifying import Right, classify
from privacy.deadlines import Law
from privacy.errors import Refused
from privacy.finding import Found
from privacy.models import DataRequest, Restriction, UnderageReport
from privacy.staffing import Colleague
from privacy.subjects import Subject
from tenants import clock
from tenants.context import enter
from tests import logging_in
from tests.billing.portal.making import Account
from tests.privacy.conftest import alpha, box, colleague, desk, ida, platform, robin
from tests.privacy.mails import Box, links_in, run_jobs_of, sent
from tests.privacy.spoofs import ON_FILE, SPOOFS, held, mail_of

__all__ = ["alpha", "box", "colleague", "desk", "ida", "platform", "robin"]
DESK = "/admin/privacy/datarequest/"
UNION = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()


def test_d8_everybody_is_told_of_the_authority_of_their_country() -> None:
    assert len(UNION) == 27
    for country in (*UNION, "IS", "LI", "NO", "GB", "CH", "US"):
        authority = authority_of(country)
        assert authority is not ELSEWHERE, country
        assert authority.name and authority.post and authority.web.startswith("https://"), country
    assert len({each.web for each in AUTHORITIES.values()}) == len(AUTHORITIES)
    assert authority_of(" uk ") == authority_of("GB") and authority_of("EL") == authority_of("GR")
    assert "California" in authority_of("us").name
    assert authority_of("BR") is ELSEWHERE and authority_of("") is ELSEWHERE


def test_d9_a_request_from_the_address_on_file_is_proven_by_a_link_and_answered_by_a_person(
    box: Box, ida: Account, desk: Client, robin: User, now: datetime
) -> None:
    """From the mailbox, read over IMAP, to the answer: in time, in a person's own words, on record."""
    box.put(mail_of(), at=now)
    (request,) = box.read()
    assert (request.law, request.right, request.due_on) == ("gdpr", "access", date(2026, 12, 23))
    run_jobs_of(request_id=str(request.pk))
    ((to, text),) = [each for each in sent() if links_in(each[1])]
    assert to == ON_FILE
    assert Client(HTTP_HOST="localhost").post(links_in(text)[0]).status_code == 200
    page = f"{DESK}{request.pk}/change/"
    assert "They confirmed it from the address on file" in desk.get(page).content.decode()
    own = "Dear Ida, since 2024 we hold your name, address and two invoices; log in and look under Privacy."
    for text, status in (("", 422), (own, 302)):
        answered = desk.post(page, {"do": "answer", "text": text, "is_final": "on"})
        assert answered.status_code == status
    request.refresh_from_db()
    reply = request.replies.get()
    assert request.state == "answered"
    assert (reply.text.reveal(), reply.written_id) == (own, str(robin.pk))
    run_jobs_of(reply_id=str(reply.pk))
    assert sent()[-1][0] == ON_FILE and own in sent()[-1][1]
    events = AuditEvent.objects.filter(subject_id=str(request.pk), actor_id=str(robin.pk))
    assert list(events.values_list("action", flat=True)) == ["request.answered"]


def test_d9_fourteen_kinds_of_spoofed_mail_disclose_and_erase_nothing(
    box: Box, ida: Account, alpha: Any, now: datetime
) -> None:
    assert len(SPOOFS) == 14
    before = held(alpha)
    for kind, (raws, may_link) in SPOOFS.items():
        already = len(sent())
        box.put(*raws, at=now)
        for request in box.read():
            run_jobs_of(request_id=str(request.pk))
            request.refresh_from_db()
            assert request.confirmed_at is None and request.is_open, kind
        news = sent()[already:]
        assert {to for to, text in news if links_in(text)} == ({ON_FILE} if may_link else set()), kind
        assert all("Canary" not in text for _, text in news), kind
        # To others at most a word that tells nothing, and only where DMARC passed for their own address.
        others = [text for to, text in news if to != ON_FILE]
        assert all("We have your message" in text and "on file" not in text for text in others), kind
        assert held(alpha) == before, kind


def test_d9_the_subject_sorts_and_a_wrong_one_is_never_refused(box: Box, ida: Account, now: datetime) -> None:
    """45 days for a CCPA request, acknowledged in ten business days; 30 for all else, whatever it says."""
    box.put(mail_of(subject="CCPA request", text="What do you know about me?"), at=now)
    box.put(mail_of(subject="hello??", text="pls do something"), at=now + timedelta(seconds=1))
    ccpa, unclear = box.read()
    assert (ccpa.law, ccpa.right) == ("ccpa", "access")
    assert (ccpa.due_on, ccpa.acknowledge_by) == (date(2027, 1, 7), date(2026, 12, 8))
    assert (unclear.law, unclear.right, unclear.due_on) == ("gdpr", "unclear", date(2026, 12, 23))
    assert "privacy.mail_link" in run_jobs_of(request_id=str(unclear.pk))
    for subject, right in {
        "Löschung meiner Daten": Right.DELETE, "Droit d’accès": Right.ACCESS, "Oposición": Right.OBJECT,
        "Gegevens verwijderen": Right.DELETE, "Rectificación de mis datos": Right.CORRECT,
        "Portabilité": Right.PORT, "Einschränkung der Verarbeitung": Right.RESTRICT, "Klacht": Right.COMPLAIN,
        "Delete my data and send me a copy of my data": Right.UNCLEAR,
    }.items():  # fmt: skip
        assert classify(subject, "").right is right, subject


def test_d9_an_overdue_request_cannot_be_missed(
    box: Box, desk: Client, robin: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.put(mail_of(), at=now)
    (request,) = box.read()
    run_jobs_of(request_id=str(request.pk))
    told = []
    for day in (14, 15, 23, 24, 30, 31, 32):
        later = now + timedelta(days=day)
        monkeypatch.setattr(clock, "now", lambda later=later: later)
        reminding.remind(now=later)
        if run_jobs_of(request_id=str(request.pk), staff_id=str(robin.pk)):
            told.append(day)
    assert told == [15, 24, 31, 32]
    assert sent()[-1][0] == robin.email and sent()[-1][1].startswith("OVERDUE by 2 days")
    logging_in.enter(desk, robin, methods={"password", "totp"})
    assert b"overdue." in desk.get("/admin/").content
    assert b'class="overdue">2 days over' in desk.get(DESK).content


def test_d9_no_answer_is_a_form_letter(box: Box, colleague: Colleague, actor: Any, now: datetime) -> None:
    for seconds in range(2):
        box.put(mail_of(), at=now + timedelta(seconds=seconds))
    first, second = box.read()
    letter = "Dear {}, we have looked into it with care and have now deleted everything. Kind regards, Robin"
    done = answering.reply(first.pk, Answer(letter.format("Ida"), True), by=colleague, actor=actor, now=now)
    assert done.is_final
    with pytest.raises(Refused, match="form letter"):
        answering.reply(second.pk, Answer(letter.format("Kim"), True), by=colleague, actor=actor, now=now)


def test_d9_a_request_never_becomes_a_ticket() -> None:
    """Nothing of a request leads to or from another app's rows: there is nothing that a ticket could be."""
    near = {"DataRequest", "RequestSubject", "Reply", "ReceivedMail", "UnderageReport"}
    for name in near:
        for field in apps.get_model("privacy", name)._meta.get_fields():
            if field.is_relation:
                assert field.related_model._meta.object_name in near, f"{name}.{field.name}"
    assert [
        each
        for each in apps.get_models()
        if "ticket" in each.__name__.lower() and each.__module__.startswith("privacy")
    ] == []


def test_d10_california_may_ask_for_all_its_rights_and_nobody_is_treated_worse(
    box: Box, ida: Account, alpha: Any, now: datetime
) -> None:
    before = held(alpha)
    wishes = {
        "CCPA request: what do you know about me": "access",
        "CCPA request: delete my information": "delete",
        "CCPA request - Do Not Sell My Personal Information": "opt_out",
        "CCPA request to correct my name": "correct",
    }
    for seconds, subject in enumerate(wishes):
        box.put(mail_of(subject=subject, text="Thank you."), at=now + timedelta(seconds=seconds))
    requests = box.read()
    assert [(each.law, each.right) for each in requests] == [("ccpa", right) for right in wishes.values()]
    assert held(alpha) == before  # price, account and log-in are what they were
    run_jobs_of(request_id=str(requests[0].pk))
    ((_, text),) = [each for each in sent() if links_in(each[1])]
    confirmed = Client(HTTP_HOST="localhost").post(links_in(text)[0]).content.decode()
    assert "We sell no personal data, and nobody is treated worse for asking." in confirmed


@pytest.mark.parametrize("now", [datetime.now(UTC)])  # closings are not written in the past
def test_d11_a_child_is_frozen_at_once_and_erased_by_a_persons_decision(
    desk: Client, robin: User, ida: Account, alpha: Any, box: Box, now: datetime
) -> None:
    """The report comes by mail; staff freeze with one click, then decide; all of it is on record."""
    box.put(mail_of(subject="I am 14 years old", text="Sorry"), at=now)
    (request,) = box.read()
    assert request.right == "under_16"
    with enter(alpha):
        browser = Client(HTTP_HOST="alpha.localhost")
        logging_in.enter(browser, ida.user)
    assert browser.get("/account/sessions/").status_code == 200
    assert desk.post(f"{DESK}{request.pk}/change/", {"do": "freeze", "reason": "Says so"}).status_code == 302
    assert browser.get("/account/sessions/").status_code == 302
    with enter(alpha):
        assert not User.objects.get(pk=ida.user.pk).is_active
        assert not Session.objects.filter(user=ida.user, ended_at__isnull=True).exists()
        stopped = set(Restriction.objects.filter(lifted_at=None).values_list("subject_kind", "subject_id"))
        assert stopped == {("customer", str(ida.customer.pk)), ("user", str(ida.user.pk))}
        assert Customer.objects.filter(pk=ida.customer.pk).exists()  # nothing is erased before the decision
    for report in UnderageReport.objects.filter(request=request):
        decide = f"/admin/privacy/underagereport/{report.pk}/change/"
        assert desk.post(decide, {"decision": "erase", "reason": "School report seen"}).status_code == 302
        run_jobs_of(report_id=str(report.pk))
        report.refresh_from_db()
        assert report.erased_at == now and report.decided_by.startswith(robin.name)
        actions = AuditEvent.objects.filter(subject_id=str(report.pk)).order_by("seq")
        assert list(actions.values_list("action", flat=True)) == [
            "underage.reported", "underage.decided", "underage.erased"
        ]  # fmt: skip
    with enter(alpha):
        assert Customer.objects.get(pk=ida.customer.pk).name == "Erased"
        gone = User.objects.get(pk=ida.user.pk)
        assert (gone.name, gone.is_active) == ("Erased", False)


def test_d11_word_of_a_child_alone_shuts_nobody_out(
    box: Box, ida: Account, alpha: Any, now: datetime
) -> None:
    """Or a rival could: what a message says is for a person to judge, who hears of it at once."""
    before = held(alpha)
    box.put(mail_of(subject="Ida Holm is 12 years old", checked=""), at=now)
    (request,) = box.read()
    assert request.right == "under_16" and held(alpha) == before
    assert not underage.is_frozen(Found("t_alpha", Subject("customer", str(ida.customer.pk))))
    assert DataRequest.objects.get(pk=request.pk).law == Law.GDPR
