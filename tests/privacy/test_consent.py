"""News goes to those who want it at the moment it goes, and stops with one click; other mail always goes."""

import ast
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client, override_settings

from accounts.jobs import mail_reset
from accounts.privacy_scope import of_user
from audit.models import AuditEvent
from privacy import consenting, marketing, news, restricting
from privacy.errors import Refused
from privacy.marketing import Offer
from privacy.models import Consent, ConsentText, News
from privacy.subjects import Subject
from tenants import clock
from tenants.context import current_schema, enter
from tenants.models import Job
from tests import logging_in
from tests.billing.portal import making
from tests.guards.source import APPS, imports, modules
from vault import subject_keys

OFFER = Offer("Autumn", "Cheaper hosting.\n\nUntil Sunday.")
# Who mails what a person needs or asked for; whoever is not here goes through `privacy.marketing`.
TRANSACTIONAL = {
    "accounts/jobs.py", "billing/mailing.py", "billing/payment_mails.py", "operations/jobs.py",
    "privacy/jobs/demands.py", "privacy/jobs/messages.py", "privacy/jobs/requests.py", "privacy/notifying.py",
    "privacy/policy_notices.py", "privacy/telling.py",
}  # fmt: skip


def give(subject: Subject, at: Any = making.NOW) -> Consent:
    return consenting.give(subject, how="privacy page", actor=making.ACTOR, now=at)


def test_consent_is_a_record_of_what_was_shown_to_whom_when_and_how(tenant: Any) -> None:
    subject = of_user(making.account().user)
    assert not consenting.may_market(subject)
    consent = give(subject)
    assert consenting.may_market(subject)
    assert "Alpha" in consent.text.text and "stop that at any time" in consent.text.text
    assert (consent.given, consent.how, consent.at) == (True, "privacy page", making.NOW)
    sealed = subject_keys.open_sealed("user", subject.id, bytes(consent.sealed), context=consenting.CONTEXT)
    assert b"nora@lind.example" in sealed
    row = str(Consent.objects.values_list().get(pk=consent.pk))
    assert "nora@lind" not in row
    assert list(consenting.by_address(" Nora@Lind.example")) == [consent]
    consenting.withdraw(subject, how="privacy page", actor=making.ACTOR, now=making.NOW)
    assert not consenting.may_market(subject)
    assert [each.given for each in consenting.history(subject)] == [False, True]
    assert consenting.withdraw(subject, how="again", actor=making.ACTOR, now=making.NOW) is None
    give(subject, making.NOW + timedelta(days=1))
    assert consenting.may_market(subject) and ConsentText.objects.count() == 1


@pytest.mark.parametrize("table", ["privacy_consent", "privacy_consenttext"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET purpose = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_the_database_refuses_to_change_what_was_consented_to(
    tenant: Any, table: str, statement: str
) -> None:

    give(of_user(making.account().user))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_nothing_is_mailed_without_consent_at_that_moment(tenant: Any, mailoutbox: list[Any]) -> None:
    subject = of_user(making.account().user)
    assert not marketing.send_marketing(OFFER, subject)
    give(subject)
    assert marketing.send_marketing(OFFER, subject)
    restricting.restrict(subject, reason="dispute", actor=making.ACTOR, now=making.NOW)
    assert not marketing.send_marketing(OFFER, subject)
    restricting.lift(subject, because="", actor=making.ACTOR, now=making.NOW)
    assert marketing.send_marketing(OFFER, subject)
    consenting.withdraw(subject, how="privacy page", actor=making.ACTOR, now=making.NOW)
    assert not marketing.send_marketing(OFFER, subject)
    assert not marketing.send_marketing(OFFER, Subject("user", "0197aaaa-0000-7000-8000-000000000000"))
    assert len(mailoutbox) == 2
    headers = mailoutbox[0].extra_headers
    assert headers["List-Unsubscribe"].startswith("<http")
    assert headers["List-Unsubscribe"].endswith(f"/unsubscribe/{marketing.token_of(subject)}/>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/unsubscribe/" in mailoutbox[0].body


def test_one_click_stops_them_without_a_log_in_and_a_look_does_not(
    tenant: Any, two_tenants: Any, browser: Callable[..., Client]
) -> None:
    subject = of_user(making.account().user)
    give(subject)
    path = f"/unsubscribe/{marketing.token_of(subject)}/"
    client = browser(enforce_csrf_checks=True)
    assert b"Stop these mails" in client.get(path).content
    assert client.head(path).status_code == 200
    with enter(tenant):
        assert consenting.may_market(subject)
    assert browser("beta").post(path).status_code == 404  # a link is good on its own host only
    assert client.post("/unsubscribe/x/").status_code == 404
    answer = client.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200 and b"no more news" in answer.content
    with enter(tenant):
        assert not consenting.may_market(subject)
        last = consenting.history(subject)[0]
        assert (last.given, last.how) == (False, "link in a mail")
        assert AuditEvent.objects.filter(action="consent.withdrawn").count() == 1
    assert client.post(path).status_code == 200


def test_the_door_is_the_only_one() -> None:
    """Mail leaves through `tenants.mail.send`: its callers are known, and news is written by one of them."""
    callers, mentions = set(), set()
    for path in modules(*APPS):
        if path.as_posix() != "tenants/mail.py" and any(
            name in {"tenants.mail.send", "tenants.mail"} for name in imports(path)
        ):
            callers.add(path.as_posix())
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        if "List-Unsubscribe" in texts:
            mentions.add(path.as_posix())
    unknown = callers - TRANSACTIONAL - {"privacy/marketing.py"}
    assert unknown == set(), "transactional? then say so here; otherwise it goes through privacy.marketing"
    assert mentions == {"privacy/marketing.py"}
    users = {
        path.as_posix() for path in modules(*APPS) if "privacy.marketing.send_marketing" in imports(path)
    }
    assert users == {"privacy/news.py"}


def test_news_reach_those_who_still_want_them_once_each(
    fresh_tenant: Any, work: Callable[..., int], mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "BATCH", 2)
    biller = making.person("b@lind.example", "billing")
    people = [making.person(f"p{at}@lind.example") for at in range(6)]
    client = Client(HTTP_HOST=f"{fresh_tenant.slug}.localhost")
    logging_in.enter(client, biller)
    sent = {"title": OFFER.title, "text": OFFER.text}
    answer = client.post("/manage/news/", sent | {"send": "1"})
    assert answer.status_code == 422 and b"Nobody has asked for news" in answer.content
    with enter(fresh_tenant):
        for person in people[:5]:
            give(of_user(person), clock.now())
    with override_settings(NEWS_MAIL={}):
        answer = client.post("/manage/news/", sent | {"send": "1"})
        assert answer.status_code == 422 and b"NEWS_EMAIL_URL" in answer.content
        page = client.post("/manage/news/", sent | {"preview": "1"}).content
        assert b"NEWS_EMAIL_URL" in page and b'name="send"' not in page
    assert b"Preview: Autumn" in client.post("/manage/news/", sent | {"preview": "1"}).content
    assert not mailoutbox
    assert client.post("/manage/news/", sent | {"send": "1"}).status_code == 302
    with enter(fresh_tenant):
        consenting.withdraw(of_user(people[0]), how="privacy page", actor=making.ACTOR, now=clock.now())
        work()
        row = News.objects.get()
        assert sorted(mail.to[0] for mail in mailoutbox) == [f"p{at}@lind.example" for at in range(1, 5)]
        with transaction.atomic():
            news.spread(row.pk, after="")  # told twice, each still gets it once
        work()
        assert len(mailoutbox) == 4
        assert (
            Job.objects.filter(
                schema_name=current_schema(), state="waiting", name="privacy.mail_news"
            ).count()
            == 0
        )


def test_what_a_person_needs_is_mailed_whatever_they_chose(
    tenant: Any,
    browser: Callable[..., Client],
    django_capture_on_commit_callbacks: Any,
    mailoutbox: list[Any],
) -> None:
    """No news, and processing restricted: the link for a new password comes all the same."""

    account = making.account()
    subject = of_user(account.user)
    restricting.restrict(subject, reason="dispute", actor=making.ACTOR, now=making.NOW)
    assert not restricting.allows(subject, restricting.Processing.MARKETING)
    mail_reset(user_id=str(account.user.pk))
    assert [mail.to for mail in mailoutbox] == [["nora@lind.example"]]


def test_restricting_needs_a_reason_happens_once_and_is_on_record(tenant: Any) -> None:
    subject = Subject("customer", str(making.customer().pk))
    with pytest.raises(Refused, match="Say why"):
        restricting.restrict(subject, reason=" \n ", actor=making.ACTOR, now=making.NOW)
    restricting.restrict(subject, reason="wrong invoice", actor=making.ACTOR, now=making.NOW)
    with pytest.raises(Refused, match="paused already"):
        restricting.restrict(subject, reason="again", actor=making.ACTOR, now=making.NOW)
    later = making.NOW + timedelta(days=1)
    assert restricting.lift(subject, because="mended", actor=making.ACTOR, now=later)
    assert not restricting.lift(subject, because="", actor=making.ACTOR, now=later)
    (row,) = restricting.history(subject)
    assert (row.reason, row.lifted_because, row.lifted_at) == ("wrong invoice", "mended", later)
    said = list(
        AuditEvent.objects.filter(subject_id=subject.id).values_list("action", flat=True).order_by("seq")
    )
    assert said[-2:] == ["processing.restricted", "processing.resumed"]
