"""Erasing by the platform's staff: prospects, and those whose request was confirmed; taken up again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from accounts.models import Customer, User
from audit.models import AuditEvent
from privacy import contacting, receiving, retention
from privacy.classifying import Right
from privacy.contacting import Writing
from privacy.deadlines import Law
from privacy.models import ContactMessage, ContactReply, DataRequest, Erasure, RequestSubject
from privacy.receiving import Written
from tenants.context import enter, enter_public
from tenants.jobs import handler_of
from tenants.models import Job
from tests.billing.portal import making
from tests.billing.portal.making import Account
from tests.twins import make

WORD = {"word": "erase"}


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    sent: list[Any] = []
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: sent.append((to, letter)))
    return sent


def run(erasure: Erasure) -> None:
    """As a worker would."""
    handler_of("privacy.erase").run(erasure_id=str(erasure.pk))


def test_a_prospect_is_erased_with_the_answers_and_the_name_in_the_admins_log(
    platform: None, desk: Client, robin: User, actor: Any, now: datetime, letters: list[Any]
) -> None:
    writing = Writing(name="Pia Prospect", email="pia@prospect.example", business="Pia KG", text="Hello")
    message, other = (contacting.receive(writing, actor=actor, now=now) for _ in range(2))
    contacting.answer(message.pk, "Dear Pia", actor=actor, now=now)
    logged = LogEntry.objects.create(
        user=robin, action_flag=2, object_id=str(message.pk), object_repr="message of Pia Prospect",
        content_type=ContentType.objects.get_for_model(ContactMessage), action_time=now,
    )  # fmt: skip
    page = f"/admin/privacy/contactmessage/{message.pk}/erase/"
    assert page in desk.get(f"/admin/privacy/contactmessage/{message.pk}/answer/").content.decode()
    shown = desk.get(page).content.decode()
    assert (
        "Pia Prospect, prospect of ProEcommerce" in shown and "Goes: Messages from the contact form" in shown
    )
    assert desk.post(page, {"word": "yes"}).status_code == 422
    assert not Erasure.objects.filter(subject_id=str(message.pk)).exists()
    assert desk.post(page, WORD).status_code == 302
    erasure = Erasure.objects.get(subject_id=str(message.pk))

    Job.objects.filter(args={"erasure_id": str(erasure.pk)}).update(state="parked")
    retention.run(now=now + timedelta(hours=12), dry_run=False, actor=actor)
    waiting = Job.objects.filter(args={"erasure_id": str(erasure.pk)}, state="waiting", schema_name="public")
    assert waiting.count() == 1, "what was left is taken up"
    run(erasure)
    assert not ContactMessage.objects.filter(pk=message.pk).exists()
    assert ContactMessage.objects.filter(pk=other.pk).exists()
    assert not ContactReply.objects.filter(text__contains="Dear Pia").exists()
    logged.refresh_from_db()
    assert "Pia" not in logged.object_repr
    ((to, letter),) = letters
    assert to == "pia@prospect.example" and "what you wrote to us" in letter.text
    assert AuditEvent.objects.filter(subject_id=str(message.pk), action="erasure.done").count() == 1
    assert desk.get(page).status_code == 404


def test_whoever_asked_is_erased_from_the_desk_once_they_confirmed_it(
    platform: None, desk: Client, ida: Account, alpha: Any, actor: Any, now: datetime, letters: list[Any]
) -> None:
    written = Written("letter", now.date(), Law.GDPR, Right.DELETE, ida.customer.email, "Please erase me.")
    request = receiving.write_down(written, actor=actor, now=now)
    row = RequestSubject.objects.get(request=request, subject_kind="customer")
    page = f"/admin/privacy/datarequest/{request.pk}/erase/{row.pk}/"
    assert page in desk.get(f"/admin/privacy/datarequest/{request.pk}/change/").content.decode()
    answer = desk.post(page, WORD)
    assert answer.status_code == 422 and "have not confirmed" in answer.content.decode()
    asked = DataRequest.objects.filter(pk=request.pk)
    asked.update(confirmed_at=now, state="confirmed", right="access")
    assert "did not ask to be deleted" in desk.post(page, WORD).content.decode()
    asked.update(right="delete")
    with enter(alpha):
        Customer.objects.filter(pk=ida.customer.pk).update(email="colleague@holm.example")
    answer = desk.post(page, WORD)
    assert answer.status_code == 422 and "not (any more) the one that" in answer.content.decode()
    with enter(alpha):
        assert not Erasure.objects.exists(), "whoever confirmed it had another's address only"
        Customer.objects.filter(pk=ida.customer.pk).update(email="Ida@Holm.example")
    assert "Is emptied: Customer: " in desk.get(page).content.decode()
    assert desk.post(page, WORD).status_code == 302
    with enter(alpha):
        erasure = Erasure.objects.get(subject_id=str(ida.customer.pk))
        run(erasure)
        assert Customer.objects.get(pk=ida.customer.pk).name == "Erased"
        assert AuditEvent.objects.filter(action="erasure.asked", actor_kind="user").count() == 1
    with enter_public():
        assert not Erasure.objects.filter(subject_id=str(ida.customer.pk)).exists(), "where the data lie"
        assert desk.get(page).status_code == 200, "of whoever is erased it says so"


def test_nobody_is_told_to_be_erased_from_a_rehearsal_in_which_no_job_runs(
    platform: None, desk: Client, actor: Any, now: datetime
) -> None:
    with enter(make("trial-desk", name="Trial", is_rehearsal=True)):
        making.person("tess@trial.example", "support")
    written = Written("letter", now.date(), Law.GDPR, Right.DELETE, "tess@trial.example", "Please erase me.")
    request = receiving.write_down(written, actor=actor, now=now)
    DataRequest.objects.filter(pk=request.pk).update(confirmed_at=now, state="confirmed", right="delete")
    row = RequestSubject.objects.get(request=request)
    answer = desk.post(f"/admin/privacy/datarequest/{request.pk}/erase/{row.pk}/", WORD)
    assert answer.status_code == 422
    assert "rehearsal: it is thrown away, by manage.py drop_rehearsal" in answer.content.decode()
