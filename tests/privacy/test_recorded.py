"""What the rules of privacy leave in the record: each event once, of whom it is, by whom, and its details."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.privacy_scope import of_customer, of_user
from audit.actions import Action
from audit.models import AuditEvent
from audit.reading import opened
from privacy import (
    answering,
    closing,
    consenting,
    erasing,
    erasure_log,
    news,
    policy_notices,
    publishing,
    underage,
)
from privacy.erasure_log import Logged
from privacy.finding import Found
from privacy.marketing import Offer
from privacy.models import DataRequest, Erasure, PolicyNotice, PolicyRound, UnderageReport
from tenants.context import enter_public
from tests.billing.portal import making
from tests.privacy.ending.conftest import no_mail, now
from tests.privacy.test_desk import ask
from tests.promises.telling import only, published, retitle, share

__all__ = ["ask", "no_mail", "now"]
TESTER = ("user", "1", "Tester")
NOTICES = ("system", "", "policy notices")


def recorded(action: Action, kind: str, pk: object) -> tuple[tuple[str, str, str], dict[str, Any]]:
    """By whom and with which details the one event of this kind on the subject was recorded."""
    (read,) = opened(AuditEvent.objects.filter(action=action, subject_kind=kind, subject_id=str(pk)))
    return (read.event.actor_kind, read.event.actor_id, read.label), read.details


def test_extending_a_request_is_recorded_with_the_new_day(
    platform: None, ask: Callable[..., DataRequest], actor: Any, now: datetime
) -> None:
    request = ask(20)
    answering.extend(request.pk, because="Five workspaces.", actor=actor, now=now)
    request.refresh_from_db()
    found = recorded(Action.REQUEST_EXTENDED, "data request", request.pk)
    assert found == (TESTER, {"until": str(request.extended_until)})


def test_dismissing_a_request_is_recorded_with_the_reason(
    platform: None, ask: Callable[..., DataRequest], actor: Any, now: datetime
) -> None:
    request = ask()
    answering.dismiss(request.pk, because="An advertisement", actor=actor, now=now)
    found = recorded(Action.REQUEST_DISMISSED, "data request", request.pk)
    assert found == (TESTER, {"because": "An advertisement"})


def test_closing_an_account_turns_autopay_off_and_opening_it_on_again_on_record(
    tenant: Any, actor: Any, now: datetime
) -> None:
    customer = making.customer()
    making.card(customer)
    making.autopay(customer)
    closing.close(of_customer(customer), actor=actor, now=now)
    found = recorded(Action.AUTOPAY_CHANGED, "customer", customer.pk)
    assert found == (TESTER, {"before": {"autopay": True}, "after": {"autopay": False}})
    closing.undo(of_customer(customer), actor=actor, now=now + timedelta(days=1))
    again = AuditEvent.objects.filter(action=Action.AUTOPAY_CHANGED, subject_id=str(customer.pk)).first()
    assert again is not None and again.at == now + timedelta(days=1)
    assert again.details == {"before": {"autopay": False}, "after": {"autopay": True}}


def test_the_end_of_a_closing_is_recorded_once(tenant: Any, actor: Any, now: datetime) -> None:
    customer = making.customer()
    closing.close(of_customer(customer), actor=actor, now=now)
    for days in (30, 31):
        closing.conclude(of_customer(customer), actor=actor, now=now + timedelta(days=days))
    assert recorded(Action.CLOSING_DONE, "customer", customer.pk) == (TESTER, {})
    assert AuditEvent.objects.get(action=Action.CLOSING_DONE).at == now + timedelta(days=30)


def test_erasing_again_after_a_restore_is_recorded(
    tenant: Any, actor: Any, now: datetime, no_mail: None
) -> None:
    subject = of_customer(making.customer())
    entry = Logged(tenant.schema_name, subject, now)
    assert erasure_log.replay(entry, actor=actor, now=now) == "erased again"
    assert recorded(Action.ERASURE_REPLAYED, "customer", subject.id) == (TESTER, {})
    assert erasing.is_erased(subject)
    assert Erasure.objects.get(subject_id=subject.id).because == Erasure.Because.REPLAYED


def test_news_are_recorded_by_their_title(tenant: Any, actor: Any, now: datetime) -> None:
    consenting.give(of_user(making.account().user), how="privacy page", actor=actor, now=now)
    made = news.publish(Offer("Autumn", "Cheaper hosting."), asked_by="1", actor=actor, now=now)
    assert recorded(Action.NEWS_PUBLISHED, "news", made.pk) == (TESTER, {"title": "Autumn"})


def test_a_version_of_the_policy_is_recorded_with_what_it_is_and_from_when(
    platform: None, monkeypatch: pytest.MonkeyPatch, actor: Any, now: datetime
) -> None:
    retitle(monkeypatch, "Customers and their addresses")
    version = published("We call customers something else.", actor, now)
    by, details = recorded(Action.POLICY_PUBLISHED, "policy", version.pk)
    assert by == TESTER
    assert details == {
        "number": version.number, "sha256": version.sha256, "is_substantial": False,
        "effective_at": now.isoformat(),
    }  # fmt: skip


class TestTelling:
    """Of a substantial change of the policy."""

    @pytest.fixture
    def version(self, tenant: Any, monkeypatch: pytest.MonkeyPatch, actor: Any, now: datetime) -> Any:
        """One of which the people of alpha are to be told, two at least."""
        only("alpha")
        making.account("contact@w4.example")
        making.person("owner@w4.example", "owner")
        share(monkeypatch)
        return published("Names.", actor, now, is_substantial=True)

    def test_the_plan_is_recorded_with_how_many_are_to_be_told(self, version: Any, now: datetime) -> None:
        people = policy_notices.plan(version.pk, now=now)
        assert people == PolicyNotice.objects.filter(version_id=version.pk).count() >= 2
        found = recorded(Action.POLICY_NOTICES_PLANNED, "policy", version.pk)
        assert found == (NOTICES, {"people": people})

    def test_giving_up_on_those_of_a_tenant_is_recorded_there_with_who_said_why(
        self, version: Any, now: datetime
    ) -> None:
        policy_notices.plan(version.pk, now=now)
        pk = PolicyNotice.objects.filter(version_id=version.pk).values_list("pk", flat=True)[0]
        PolicyNotice.objects.filter(pk=pk).update(attempts=policy_notices.ATTEMPTS)
        policy_notices.give_up_here(version.pk, because="The address is dead.", by="Robin", now=now)
        found = recorded(Action.POLICY_NOTICES_GIVEN_UP, "policy", version.pk)
        assert found == (("staff", "", "Robin"), {"people": 1, "because": "The address is dead."})

    def test_trying_again_and_giving_up_are_recorded_with_in_how_many_tenants(
        self, version: Any, actor: Any, now: datetime
    ) -> None:
        with enter_public():
            PolicyRound.objects.filter(version=version).update(failing=1)
            policy_notices.retry(version, actor=actor, now=now)
            policy_notices.give_up(version, because="Dead.", actor=actor, now=now)
            found = recorded(Action.POLICY_NOTICES_RETRIED, "policy", version.pk)
            assert found == (TESTER, {"tenants": 1, "because": ""})
            found = recorded(Action.POLICY_NOTICES_GIVEN_UP, "policy", version.pk)
            assert found == (TESTER, {"tenants": 1, "because": "Dead."})

    def test_that_everybody_was_told_is_recorded_once(self, version: Any, now: datetime) -> None:
        policy_notices.plan(version.pk, now=now)
        waiting = PolicyNotice.objects.filter(version_id=version.pk)
        waiting.update(given_up_at=now, given_up_because="a test")
        policy_notices.send_batch(version.pk, now=now)
        with enter_public():
            assert publishing.announce(version, now=now) and not publishing.announce(version, now=now)
            found = recorded(Action.POLICY_ANNOUNCED, "policy", version.pk)
        assert found == (NOTICES, {"number": version.number})


@pytest.fixture
def kid(tenant: Any) -> making.Account:
    return making.account("kid@x.example")


@pytest.fixture
def report(tenant: Any, kid: making.Account, actor: Any, now: datetime) -> UnderageReport:
    """That one is said to be 13."""
    whom = Found(tenant.schema_name, of_user(kid.user))
    return underage.freeze(whom, underage.Report("13"), actor=actor, now=now)


def test_a_freeze_is_recorded_in_the_workspace_with_who_is_shut_out_and_what_goes_along(
    report: UnderageReport, kid: making.Account
) -> None:
    assert recorded(Action.UNDERAGE_FROZEN, "user", kid.user.pk) == (
        TESTER,
        {
            "shut_out": [str(kid.user.pk)],
            "restricted_before": False,
            "along": [["customer", str(kid.customer.pk)]],
        },
    )


def test_setting_free_is_recorded_in_the_workspace(
    report: UnderageReport, kid: making.Account, actor: Any, now: datetime
) -> None:
    underage.decide(report.pk, UnderageReport.Decision.FREE, "Passport: 17", actor=actor, now=now)
    assert recorded(Action.UNDERAGE_SET_FREE, "user", kid.user.pk) == (TESTER, {})
