"""Which role may do what, as a table of its own: O owner, B billing, S support, R read-only, V the platform's
staff acting as an owner. A page that is not in it fails."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User, Visit
from accounts.people import create_user
from accounts.sessions import Operator
from tenants.context import enter_public
from tests import logging_in
from tests.billing.manage.conftest import HOST
from tests.billing.manage.test_access import PAGES, address

ALL, HELP, BILL, LOOK, OWN, NONE = "OBSRV", "OBS", "OB", "OBRV", "O", ""
# name: who sees the page, and whose forms it takes ("" where it has none, or shows nothing)
TABLE = {
    "home": (ALL, NONE),
    "customers": (ALL, NONE), "customer": (ALL, NONE), "customer_new": (BILL, BILL),
    "customer_edit": ("OBSV", "OBSV"), "customer_resume": (NONE, BILL),
    "customer_closing": (ALL, BILL), "customer_erasure": (ALL, BILL),
    "invoice_resume": (NONE, BILL), "customer_invite": (HELP, HELP),
    "contact": (HELP, HELP), "contact_remove": (NONE, HELP),
    "invitation_resend": (NONE, HELP), "invitation_withdraw": (NONE, HELP),
    "products": (ALL, NONE), "product": (ALL, NONE), "product_new": (BILL, BILL),
    "product_edit": (BILL, BILL), "price_new": (BILL, BILL), "price_switch": (NONE, BILL),
    "subscriptions": (ALL, NONE), "subscription": (ALL, NONE), "subscription_new": (BILL, BILL),
    "subscription_cancel": (BILL, BILL), "subscription_pause": (BILL, BILL),
    "subscription_resume": (NONE, BILL),
    "invoices": (ALL, NONE), "invoice": (ALL, NONE), "invoice_pdf": (ALL, NONE),
    "invoice_new": (BILL, BILL), "invoice_edit": (BILL, BILL), "invoice_discard": (NONE, BILL),
    "invoice_issue": (NONE, BILL), "invoice_send": (NONE, "OBS"), "invoice_void": (BILL, BILL),
    "invoice_payment": (BILL, BILL), "payment_ask": (NONE, BILL), "payment_end": (NONE, BILL),
    "payment_take_in": (NONE, BILL),
    "payment_absent": (BILL, BILL),
    "runs": (LOOK, NONE), "run_now": (NONE, BILL),
    "import": (BILL, BILL), "import_preview": (BILL, BILL),
    "audit": (LOOK, NONE), "audit_check": (NONE, LOOK), "audit_export": (NONE, LOOK),
    "settings": ("OV", OWN), "settings_invoices": ("OV", OWN), "settings_region": ("OV", OWN),
    "settings_brand": ("OV", OWN), "settings_no_logo": (NONE, OWN),
    "taxes": ("OV", NONE), "tax_new": ("OV", OWN), "tax": ("OV", OWN), "tax_remove": (NONE, OWN),
    "stripe": (OWN, NONE), "stripe_connect": (OWN, NONE), "stripe_callback": (OWN, NONE),
    "stripe_key": (NONE, OWN), "stripe_disconnect": (NONE, OWN),
    "staff": ("OV", NONE), "staff_invite": (OWN, OWN), "staff_hand_over": (OWN, OWN),
    "staff_role": (NONE, OWN), "staff_deactivate": (NONE, OWN), "staff_reactivate": (NONE, OWN),
    "staff_resend": (NONE, OWN), "staff_withdraw": (NONE, OWN),
    "hosts": ("OV", OWN), "host_look": (NONE, OWN), "host_primary": (NONE, OWN),
    "host_withdraw": (NONE, OWN), "host_remove": (NONE, OWN),
    "copies": (OWN, OWN), "copy_state": (OWN, NONE), "copy_fetch": (OWN, NONE), "news": (BILL, BILL),
    "factors_reset": (NONE, OWN), "settings_security": ("OV", OWN),
    "settings_closing": ("OV", OWN),
}  # fmt: skip
ROLES = {"O": "owner", "B": "billing", "S": "support", "R": "read_only", "C": "contact"}


@pytest.fixture
def visitor(person: Callable[[str], User], actor: Any) -> Client:
    """A browser in which somebody of the platform acts as an owner."""
    now = datetime.now(UTC)
    with enter_public():
        robin = create_user(
            email="robin@pro.example", name="Robin", role="platform", password=None, actor=actor, now=now
        )
    owner = person("owner")
    visit = Visit.objects.create(
        user=owner, staff_id=robin.pk, staff_label="Robin", reason="A question of theirs", created_at=now,
        begun_at=now - timedelta(minutes=1), ends_at=now + timedelta(minutes=29),
    )  # fmt: skip
    client = Client(headers=HOST)
    logging_in.enter(client, owner, methods={"visit"}, operator=Operator(str(robin.pk), "Robin"))
    session = client.session
    session["visit"] = str(visit.pk)
    session.save()
    return client


def allowed(client: Client, method: str) -> set[str]:
    """The pages that do not refuse the method."""
    answers = {str(page.name): getattr(client, method)(address(page)) for page in PAGES}
    assert {answer.status_code for answer in answers.values()} <= {200, 302, 403, 404, 405, 422}
    return {name for name, answer in answers.items() if answer.status_code not in {403, 405}}


def expected(letter: str, column: int) -> set[str]:
    return {name for name, columns in TABLE.items() if letter in columns[column]}


def test_the_table_names_every_page() -> None:
    assert {str(page.name) for page in PAGES} == set(TABLE)


@pytest.mark.parametrize("letter", ROLES)
def test_each_role_sees_and_changes_what_the_table_says(browse: Any, letter: str) -> None:
    client = browse(ROLES[letter])
    assert allowed(client, "get") == expected(letter, 0)
    assert allowed(client, "post") == expected(letter, 1)


def test_whoever_acts_as_an_owner_sees_and_changes_what_the_table_says(visitor: Client) -> None:
    assert allowed(visitor, "get") == expected("V", 0)
    assert allowed(visitor, "post") == expected("V", 1)
    assert "of ProEcommerce, as" in visitor.get("/manage/").content.decode()


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_no_other_method_gets_round_it(browse: Any, method: str) -> None:
    client = browse("read_only")
    for page in PAGES:
        answer = getattr(client, method)(address(page))
        assert answer.status_code in {403, 405}, page.name


def test_a_role_in_the_address_the_form_or_a_header_changes_nothing(browse: Any) -> None:
    client = browse("support")
    path = "/manage/settings/"
    assert client.get(f"{path}?role=owner").status_code == 403
    assert client.post(path, {"role": "owner", "is_superuser": "1"}).status_code == 403
    assert client.get(path, headers={"X-Role": "owner", "X-Http-Method-Override": "GET"}).status_code == 403
    for odd in ("/manage/settings", "/manage//settings/", "/manage/settings/;x", "/MANAGE/settings/"):
        assert client.get(odd, follow=True).status_code in {403, 404}, odd


def test_pages_hide_what_one_may_not_do(browse: Any, customer: Any, subscription: Any) -> None:
    seen = {role: browse(role).get(f"/manage/customers/{customer.pk}/").content.decode() for role in
            ("billing", "support", "read_only")}  # fmt: skip
    assert "New invoice" in seen["billing"] and "New invoice" not in seen["support"] + seen["read_only"]
    assert "/change/" in seen["support"] and "/invite/" in seen["support"]
    assert "/change/" not in seen["read_only"] and "/invite/" not in seen["read_only"]
    for role, words in (("support", "Import"), ("read_only", "Settings"), ("billing", "Settings")):
        page = Client(headers=HOST)
        logging_in.enter(page, User.objects.get(role=role))
        nav = page.get("/manage/").content.decode().partition("<main")[0]
        assert words not in nav, role


def test_a_refusal_names_the_owners_to_those_who_work_here_only(browse: Any) -> None:
    owner = browse("owner")
    assert owner.get("/manage/").status_code == 200
    assert "owner@lind.example" in browse("support").get("/manage/settings/").content.decode()
    assert "owner@lind.example" not in browse("contact").get("/manage/settings/").content.decode()


def test_support_finds_customers_and_sees_no_figures(browse: Any, customer: Any) -> None:
    page = browse("support").get("/manage/").content.decode()
    assert "Ida Holm" in page and "Revenue" not in page


def test_a_suspended_workspace_can_be_seen_and_not_changed(browse: Any, tenant: Any) -> None:
    owner = browse("owner")
    _set_status(tenant, "suspended")
    assert allowed(owner, "get") >= {"home", "customers", "invoices", "settings", "audit"}
    # Who leaves takes their data along.
    assert allowed(owner, "post") == {"audit_check", "audit_export", "copies"}
    assert "is suspended" in owner.post("/manage/settings/").content.decode()


def test_on_a_closed_workspace_nothing_opens(browse: Any, tenant: Any) -> None:
    owner = browse("owner")
    _set_status(tenant, "closed")
    for path in ("/manage/", "/", "/log-in/", f"/invoices/{uuid4()}/", "/pay/x/"):
        answer = owner.get(path)
        assert answer.status_code == 410
        assert "is closed here" in answer.content.decode()


def _set_status(tenant: Any, status: str) -> None:
    from tenants.models import Tenant

    with enter_public():
        Tenant.objects.filter(pk=tenant.pk).update(status=status)
