"""The audit page: the mark of the last check, the alarm when the record is not whole, and the export."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from accounts import jobs, record_watching
from accounts.models import User
from accounts.people import create_user
from audit.actors import Actor
from audit.models import AuditEvent, ChainCheck
from audit.verifying import Verdict
from billing import trail_export
from tenants import record_checking
from tenants.context import enter, enter_public
from tenants.models import Job
from tests.conftest import NOW
from vault import subject_keys

BROKEN = Verdict(3, "event 4 was changed")
SYSTEM = Actor.system("tests")


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def test_the_record_is_checked_and_says_so(staff: Client) -> None:
    page = staff.get("/manage/audit/").content.decode()
    assert "Verified up to event" in page
    assert not ChainCheck.objects.exists()  # to look writes nothing
    page = staff.post("/manage/audit/check/", follow=True).content.decode()
    assert "are whole and in order" in page
    assert ChainCheck.objects.get().problem == ""


def test_a_broken_record_is_told(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_checking, "verify", lambda _: BROKEN)
    page = staff.post("/manage/audit/check/", follow=True).content.decode()
    assert "event 4 was changed" in page
    assert "Not whole" in page


def test_a_long_record_shows_what_the_last_check_found(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_checking, "WALK_AT_ONCE", 0)
    assert "Not checked yet" in staff.get("/manage/audit/").content.decode()
    record_watching.watch(actor=SYSTEM, now=NOW)
    assert "Verified up to event" in staff.get("/manage/audit/").content.decode()


def test_owners_and_the_platform_are_mailed_once_when_the_record_breaks(
    owner: Client, tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mails(schema: str) -> list[Any]:
        with enter_public():
            return list(Job.objects.filter(name="accounts.mail_record_broken", schema_name=schema))

    with enter_public():
        create_user(
            email="robin@pro.example", name="Robin", role="owner", password=None, actor=SYSTEM, now=NOW
        )
        staff = set(map(str, User.objects.filter(is_active=True).values_list("pk", flat=True)))
        before = {each.pk for each in mails("public")}
    monkeypatch.setattr(record_checking, "verify", lambda _: BROKEN)
    for _ in range(2):
        record_watching.watch(actor=SYSTEM, now=NOW)
    assert AuditEvent.objects.filter(action="audit.broken").count() == 1
    own = mails(tenant.schema_name)
    assert {each.args["user_id"] for each in own} == {str(User.objects.get(role="owner").pk)}
    assert {each.args["user_id"] for each in mails("public") if each.pk not in before} == staff
    sent: list[tuple[Any, str]] = []
    monkeypatch.setattr(jobs, "send", lambda mail, to: sent.append((mail, to)))
    jobs.mail_record_broken(**own[0].args)
    with enter_public():
        jobs.mail_record_broken(**next(each for each in mails("public") if each.pk not in before).args)
    assert sent[0][1] == User.objects.get(role="owner").email
    assert "event 4 was changed" in sent[0][0].text and "/manage/audit/" in sent[0][0].text
    assert "/admin/audit/auditevent/" in sent[1][0].text
    monkeypatch.setattr(record_checking, "verify", lambda _: Verdict(9, None))
    record_watching.watch(actor=SYSTEM, now=NOW)
    assert ChainCheck.objects.get().told_at is None  # the next one is told again


def test_the_record_is_taken_along_as_csv_by_whoever_confirmed(owner: Client) -> None:
    owner.post("/manage/settings/brand/", {"brand_colour": "#aa0000"})
    answer = owner.post("/manage/audit/export/", {"action": "settings.changed"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]
    (row,) = rows(answer)
    assert (row["action"], row["ip"]) == ("settings.changed", "127.0.0.1")
    assert "owner@lind.example" in row["by"] and "#aa0000" in row["details"]
    assert "=" not in {each[:1] for each in row.values()}
    event = AuditEvent.objects.get(action="audit.exported")
    assert event.details == {"count": 1, "only": {"of": "settings.changed"}}
    session = owner.session
    session.pop("confirmed_at", None)
    session.save()
    asked = owner.post("/manage/audit/export/", {}, HTTP_REFERER="http://alpha.localhost/manage/audit/")
    assert asked.status_code == 302 and "/account/confirm/" in asked["Location"]
    assert AuditEvent.objects.filter(action="audit.exported").count() == 1


def test_an_export_shows_no_more_than_the_page_and_refuses_what_is_too_long(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = AuditEvent.objects.filter(action="user.logged_in").latest("seq")
    subject_keys.destroy("user", person.actor_id, now=NOW)
    found = rows(owner.post("/manage/audit/export/", {"action": "user.logged_in", "person": person.actor_id}))
    assert {(row["by"], row["ip"]) for row in found} == {("(erased)", "")}
    assert "(erased)" in owner.get("/manage/audit/?action=user.logged_in").content.decode()
    monkeypatch.setattr(trail_export, "AT_MOST", 0)
    page = owner.post("/manage/audit/export/", {}, follow=True).content.decode()
    assert "Choose a shorter period" in page


def test_formulas_are_taken_for_text() -> None:
    assert [trail_export._harmless(text) for text in ("=1+1", "@x", "-2", "plain", 7)] == [
        "'=1+1", "'@x", "'-2", "plain", "7",
    ]  # fmt: skip


def test_each_tenant_has_its_own_mark(two_tenants: Any) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        record_checking.check(now=NOW)
    with enter(beta):
        assert not ChainCheck.objects.exists()
