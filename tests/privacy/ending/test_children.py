"""Under 16: what is frozen with a child, who gets in again, and that the erasure is a real one (D11)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client, override_settings

from accounts.models import Contact, Customer, User
from accounts.people import add_contact
from accounts.privacy_scope import of_customer as of
from accounts.privacy_scope import of_user as who
from billing import payments
from billing.models import Payment
from privacy import erasing, holding, restricting, underage
from privacy.errors import Refused
from privacy.finding import Found
from privacy.models import Erasure, UnderageReport
from privacy.subjects import Subject
from proecommerce.alarms import alarms
from tenants.context import enter_public
from tenants.models import Job, Tenant
from tests.accounts.conftest import log_in
from tests.billing.portal import making
from tests.privacy.mails import run_jobs_of

ERASE, FREE = UnderageReport.Decision.ERASE, UnderageReport.Decision.FREE


pytestmark = pytest.mark.usefixtures("no_mail")


def freeze(subject: Subject, actor: Any, now: datetime) -> UnderageReport:
    return underage.freeze(Found("t_alpha", subject), underage.Report("13"), actor=actor, now=now)


def active(*users: User) -> list[bool]:
    return [User.objects.get(pk=user.pk).is_active for user in users]


def test_a_child_that_alone_owns_an_account_is_erased_with_it_once_no_hold_stands(
    tenant: Any, actor: Any, now: datetime
) -> None:
    kid, helper = making.account("kid@x.example"), making.person("mum@x.example")
    add_contact(helper, kid.customer, actor=actor, now=now)
    Contact.objects.filter(user=helper).update(is_owner=False)
    other = making.account("dad@x.example")
    add_contact(helper, other.customer, actor=actor, now=now)
    report = freeze(who(kid.user), actor, now)
    assert active(kid.user, helper, other.user) == [False, False, True]
    assert {restricting.in_force(each) is None for each in (who(kid.user), of(kid.customer))} == {False}
    hold = holding.place(Found("t_alpha", of(kid.customer)), reason="Case 1", actor=actor, now=now)
    with pytest.raises(Refused, match="legal matter"):
        underage.decide(report.pk, ERASE, "He is 12", actor=actor, now=now)
    holding.lift("t_alpha", hold.pk, because="Settled", actor=actor, now=now)
    underage.decide(report.pk, ERASE, "He is 12", actor=actor, now=now)
    late = now + timedelta(days=1, seconds=1)
    with enter_public(), override_settings(ROOT_URLCONF="proecommerce.urls_public"):
        assert any("still there" in each.text for each in alarms(now=late))
        assert underage.take_up(now=now + timedelta(days=1)) >= 1
        again = Job.objects.filter(args={"report_id": str(report.pk)}, name="privacy.erase_child").count()
        assert again == 2, "what could not be done is tried again the next day"
    assert set(run_jobs_of(report_id=str(report.pk))) == {"privacy.erase_child"}
    with enter_public():
        report.refresh_from_db()
    assert report.erased_at is not None
    assert Customer.objects.get(pk=kid.customer.pk).name == "Erased"
    assert User.objects.get(pk=kid.user.pk).name == "Erased"
    assert set(Erasure.objects.values_list("because", flat=True)) == {"child"}
    assert active(kid.user, helper, other.user) == [False, True, True], "others go on with what is theirs"
    assert underage.is_frozen(Found("t_alpha", who(kid.user)))


def test_what_comes_in_the_way_after_the_decision_is_told_and_nothing_is_erased(
    tenant: Any, actor: Any, now: datetime
) -> None:
    kid = making.account("kid@x.example")
    report = freeze(of(kid.customer), actor, now)
    underage.decide(report.pk, ERASE, "He is 12", actor=actor, now=now)
    invoice = making.invoice(kid.customer, due=now.date())
    Payment.objects.create(
        invoice=invoice, customer=kid.customer, method="card", state="processing", amount=1, currency="EUR",
        created_at=now,
    )  # fmt: skip
    with pytest.raises(Refused, match="under way"):
        underage.erase(report.pk, now=now)
    assert not Erasure.objects.exists() and Customer.objects.get().name == "Nora Lind"
    Payment.objects.update(state="failed")
    underage.erase(report.pk, now=now)
    assert Customer.objects.get().name == "Erased"
    underage.erase(report.pk, now=now)
    assert Erasure.objects.filter(subject_kind="customer").count() == 1, "once"


def test_a_child_that_owns_the_workspace_is_erased_all_the_same(
    tenant: Any, actor: Any, now: datetime
) -> None:
    kid = making.person("kid@x.example", "owner")
    assert erasing.in_the_way(who(kid)), "by itself the last owner cannot go"
    report = freeze(who(kid), actor, now)
    underage.decide(report.pk, ERASE, "He is 12", actor=actor, now=now)
    underage.erase(report.pk, now=now)
    assert User.objects.get(pk=kid.pk).name == "Erased"


def test_while_frozen_nobody_acts_for_the_customer_and_nobody_lifts_it(
    tenant: Any, actor: Any, now: datetime
) -> None:
    kid, helper = making.account("kid@x.example"), making.person("mum@x.example")
    add_contact(helper, kid.customer, actor=actor, now=now)
    browser = Client(HTTP_HOST="alpha.localhost")
    log_in(browser, helper.email, making.PASSWORD)
    restricting.restrict(of(kid.customer), reason="wrong invoice", actor=actor, now=now)
    report = freeze(of(kid.customer), actor, now)
    assert active(kid.user, helper) == [False, False]
    assert browser.get("/account/privacy/").status_code == 302, "logged out"
    late = making.person("late@x.example")
    add_contact(late, kid.customer, actor=actor, now=now)
    browser = Client(HTTP_HOST="alpha.localhost")
    log_in(browser, late.email, making.PASSWORD)
    whose = {"whose": f"customer:{kid.customer.pk}"}
    assert "frozen" in browser.post("/account/privacy/pause/lift/", whose, follow=True).content.decode()
    assert restricting.in_force(of(kid.customer)) is not None
    second = freeze(who(kid.user), actor, now)
    underage.decide(report.pk, FREE, "17", actor=actor, now=now)
    assert active(kid.user, helper) == [False, True], "the other report still stands"
    standing = restricting.in_force(of(kid.customer))
    assert standing is not None and standing.reason == "wrong invoice", "what they asked for stays"
    underage.decide(second.pk, FREE, "17", actor=actor, now=now)
    assert active(kid.user, helper) == [True, True]
    assert restricting.lift(of(kid.customer), because="settled", actor=actor, now=now)
    assert restricting.in_force(who(kid.user)) is None


def test_a_freeze_stops_charging_and_billing_and_setting_free_plans_both_anew(
    tenant: Any, actor: Any, now: datetime
) -> None:
    kid = making.account("kid@x.example")
    making.card(kid.customer)
    making.autopay(kid.customer)
    invoice = making.invoice(kid.customer, due=now.date())
    making.subscription(kid.customer, making.price(), now.date())

    def planned() -> Any:
        with enter_public():
            return Tenant.objects.get(pk=tenant.pk).next_run_at

    report = freeze(who(kid.user), actor, now)
    assert not payments.will_collect(invoice, now=now), "the customer is nobody else's"
    assert planned() is None
    underage.decide(report.pk, FREE, "17", actor=actor, now=now)
    assert planned() is not None
    assert payments.will_collect(invoice, now=now)
