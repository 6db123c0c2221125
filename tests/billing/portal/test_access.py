"""Who sees what in the portal: nobody a stranger's, everybody their own."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Contact, Customer, User
from accounts.people import add_contact
from billing.models import PaymentMethod
from tenants.context import enter
from tests.billing.portal import making
from tests.billing.portal.conftest import text
from tests.billing.portal.making import Account

Browser = Callable[..., Client]
PAGES = ["/", "/invoices/", "/cards/", "/details/", "/switch/", "/cards/add/"]


@pytest.mark.parametrize("path", [*PAGES, "/invoices/?status=open&year=2026"])
def test_a_visitor_is_led_to_log_in_and_back(tenant: Any, browser: Browser, path: str) -> None:
    answer = browser().get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/log-in/?next=/")


def test_what_was_posted_without_log_in_leads_back_to_the_start(tenant: Any, browser: Browser) -> None:
    answer = browser().post("/autopay/", {"on": "1"})
    assert answer["Location"] == "/log-in/?next=/"


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_the_portal_are_not_stored(page: Client, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"


def test_staff_without_a_customer_are_shown_the_way(tenant: Any, browser: Browser) -> None:
    owner = making.person("owner@alpha.example", User.Role.OWNER)
    answer = browser(owner).get("/")
    assert answer.status_code == 403
    assert 'href="/manage/"' in answer.content.decode()


def test_a_contact_of_nobody_is_told_whom_to_ask(tenant: Any, browser: Browser) -> None:
    answer = browser(making.person("alone@lind.example")).get("/invoices/")
    assert answer.status_code == 403
    assert "Ask Alpha Hosting" in text(answer)
    assert "/manage/" not in answer.content.decode()


def test_a_contact_taken_away_is_out_at_once(lind: Account, page: Client) -> None:
    assert page.get("/").status_code == 200
    Contact.objects.all().delete()
    assert page.get("/").status_code == 403


def test_another_customers_invoice_is_not_there(page: Client) -> None:
    theirs = making.invoice(making.customer("Other"), due=making.TODAY)
    for path in ("", "pdf/", "pay/", "pay/status/"):
        assert page.get(f"/invoices/{theirs.pk}/{path}").status_code == 404
    assert page.post(f"/invoices/{theirs.pk}/pay/").status_code == 404
    assert str(theirs.number) not in text(page.get("/invoices/"))


def test_an_invoice_that_never_was_gets_the_same_answer(page: Client) -> None:
    theirs = making.invoice(making.customer("Other"), due=making.TODAY)
    answers = [text(page.get(f"/invoices/{each}/")) for each in (theirs.pk, uuid4())]
    assert answers[0] == answers[1]
    assert page.get("/invoices/1/").status_code == 404


def test_a_draft_is_not_there(lind: Account, page: Client) -> None:
    draft = making.draft(lind.customer)
    for path in ("", "pdf/"):
        assert page.get(f"/invoices/{draft.pk}/{path}").status_code == 404
    assert "No invoices yet" in text(page.get("/invoices/"))


def test_another_customers_card_can_be_neither_chosen_nor_removed(page: Client) -> None:
    theirs = making.card(making.customer("Other"))
    for verb in ("default", "remove"):
        assert page.post(f"/cards/{theirs.pk}/{verb}/").status_code == 404
    assert PaymentMethod.objects.get(pk=theirs.pk).removed_at is None


def test_another_tenants_invoice_is_not_there(two_tenants: Any, browser: Browser) -> None:
    with enter(two_tenants[0]):
        lind = making.account()
        own = making.invoice(lind.customer, due=making.TODAY)
        client = browser(lind.user)
    with enter(two_tenants[1]):
        theirs = making.invoice(making.account().customer, due=making.TODAY)
    assert client.get(f"/invoices/{own.pk}/").status_code == 200
    assert client.get(f"/invoices/{theirs.pk}/").status_code == 404


@pytest.mark.parametrize("path", ["/cards/{}/default/", "/cards/{}/remove/", "/autopay/"])
def test_changes_need_a_post(lind: Account, page: Client, path: str) -> None:
    card = making.card(lind.customer)
    assert page.get(path.format(card.pk)).status_code == 405


@pytest.mark.parametrize(
    "path", ["/cards/{}/default/", "/cards/{}/remove/", "/autopay/", "/details/", "/switch/"]
)
def test_changes_need_the_forms_token(lind: Account, browser: Browser, path: str) -> None:
    card = making.card(lind.customer)
    client = browser(lind.user, enforce_csrf_checks=True)
    assert client.post(path.format(card.pk), {"on": "1"}).status_code == 403


class TestSwitching:
    @pytest.fixture
    def apps(self, lind: Account) -> Customer:
        other = making.customer(business_name="Zeta Apps UG")
        add_contact(lind.user, other, actor=making.ACTOR, now=making.NOW)
        return other

    def test_the_first_by_name_is_open_until_another_is_chosen(self, apps: Customer, page: Client) -> None:
        assert "Lind & Söhne GmbH" in text(page.get("/"))
        answer = page.post("/switch/", {"customer": str(apps.pk)})
        assert answer["Location"] == "/"
        assert "Zeta Apps UG" in text(page.get("/"))

    def test_each_invoice_is_seen_by_its_own_customer(
        self, lind: Account, apps: Customer, page: Client
    ) -> None:
        theirs = making.invoice(apps, due=making.TODAY)
        assert page.get(f"/invoices/{theirs.pk}/").status_code == 404
        page.post("/switch/", {"customer": str(apps.pk)})
        assert page.get(f"/invoices/{theirs.pk}/").status_code == 200

    @pytest.mark.parametrize("asked", ["", "x", "00000000-0000-0000-0000-000000000000", "\x00"])
    def test_nothing_else_is_taken(self, apps: Customer, page: Client, asked: str) -> None:
        assert page.post("/switch/", {"customer": asked}).status_code == 422
        assert "Lind & Söhne GmbH" in text(page.get("/"))

    def test_a_customer_of_somebody_else_is_not_taken(self, apps: Customer, page: Client) -> None:
        stranger = making.customer("Other", business_name="Other Ltd")
        assert page.post("/switch/", {"customer": str(stranger.pk)}).status_code == 422
        assert "Other Ltd" not in text(page.get("/switch/"))

    def test_a_right_taken_away_closes_what_was_chosen(self, apps: Customer, page: Client) -> None:
        page.post("/switch/", {"customer": str(apps.pk)}, follow=True)
        Contact.objects.filter(customer=apps).delete()
        assert "Zeta Apps UG" not in text(page.get("/"))

    def test_a_session_full_of_nonsense_opens_the_first(self, apps: Customer, page: Client) -> None:
        session = page.session
        session["customer"] = {"not": "an id"}
        session.save()
        assert page.get("/").status_code == 200

    def test_one_customer_alone_is_not_offered_a_choice(self, page: Client) -> None:
        assert "Switch account" not in text(page.get("/"))
