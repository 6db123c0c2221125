"""The platform's staff as a user of a tenant: for a reason, for half an hour, on record, never near money."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.test import Client

from accounts import jobs, visiting
from accounts.errors import Refused
from accounts.models import User, Visit
from accounts.people import create_user
from accounts.visiting import Wish
from audit.actions import WHEN_BEHIND, Action
from audit.actors import Actor
from audit.models import AuditEvent
from audit.reading import opened
from audit.recording import NotBehind, record
from audit.verifying import verify
from tenants.context import enter, enter_public
from tenants.models import Job, Tenant
from tests import logging_in
from tests.accounts.conftest import PASSWORD
from tests.humans import stamped

Browser = Callable[..., Client]
REASON = "They cannot find an invoice, ticket 4711"
ROBIN = Actor("user", "55", "Robin of the platform", "192.0.2.55", "RobinBrowser/1")


@pytest.fixture
def robin(tenant: Any, actor: Any, now: datetime) -> User:
    with enter_public():
        return create_user(
            email="robin@pro.example", name="Robin", role="platform", password=PASSWORD, actor=actor, now=now
        )


@pytest.fixture
def nora(tenant: Any, people: Callable[..., User]) -> User:
    return people()


@pytest.fixture
def admin(robin: User) -> Client:
    client = Client(HTTP_HOST=settings.SITE_HOST)
    with enter_public():
        logging_in.enter(client, robin, methods={"password", "totp"})
    return client


@pytest.fixture
def link(tenant: Any, nora: User, robin: User) -> Callable[..., str]:
    """The path of a fresh link."""

    def make(user: User | None = None, reason: str = REASON) -> str:
        wish = Wish(tenant, (user or nora).pk, reason)
        now = datetime.now(UTC)
        with enter_public():
            return f"/visit/{visiting.allow(wish, staff=robin, actor=Actor('user'), now=now)}/"

    return make


@pytest.fixture
def inside(link: Callable[..., str], browser: Browser) -> Client:
    client = browser()
    assert client.post(link()).status_code == 302
    return client


def test_from_the_admin_to_the_tenant_and_back(
    admin: Client, tenant: Any, nora: User, robin: User, browser: Browser
) -> None:
    chosen = {"action": "enter_as", "_selected_action": str(tenant.pk)}
    form = admin.post("/admin/tenants/tenant/", chosen)["Location"]
    page = admin.get(form).content.decode()
    assert "Nora Lind" in page and "on record under both names" in page
    assert admin.post(form, {"user": str(nora.pk), "reason": "short"}).status_code == 422
    answer = admin.post(form, {"user": str(nora.pk), "reason": REASON})
    target = urlsplit(answer["Location"])
    assert target.hostname == "alpha.localhost"
    client = browser()
    offered = client.get(target.path).content.decode()
    assert "Enter as Nora Lind" in offered and REASON in offered
    assert not Visit.objects.filter(begun_at__isnull=False).exists()  # a GET begins nothing
    assert client.post(target.path)["Location"] == "/manage/"
    shown = client.get("/manage/").content.decode()
    assert "Robin &lt;robin@pro.example&gt;" in shown and "of ProEcommerce, as" in shown
    over = client.post("/visit/leave/")  # no redirect: the page's policy lets a form lead to no other host
    assert over.status_code == 200 and f'href="{settings.SITE_URL}/admin/"' in over.content.decode()
    assert client.get("/manage/").status_code == 302
    with enter(tenant):
        found = opened(AuditEvent.objects.filter(action__startswith="visit.").order_by("seq"))
        assert [(each.event.action, each.label, each.behind) for each in found] == [
            (action, "Nora Lind <nora@lind.example>", "Robin <robin@pro.example>")
            for action in ("visit.begun", "visit.ended")
        ]  # fmt: skip
    with enter_public():
        allowed = opened([AuditEvent.objects.get(action="visit.allowed")])[0]
        assert allowed.details["after"]["reason"] == REASON and "Robin" in allowed.label


def test_the_platforms_own_record_is_read_in_the_admin_with_its_mark(
    admin: Client, robin: User, now: datetime
) -> None:
    with enter_public(), transaction.atomic():
        event_id = record(Action.USER_CONFIRMED, subject=("user", robin.pk), actor=ROBIN, now=now, method="x")
    listed = admin.get("/admin/audit/auditevent/").content.decode()
    assert "Robin of the platform" in listed and "192.0.2.55" in listed
    assert re.search(r"Verified up to event \d+ at ", listed)
    one = admin.get(f"/admin/audit/auditevent/{event_id}/change/").content.decode()
    assert "Robin of the platform" in one and "RobinBrowser" in one
    assert admin.post(f"/admin/audit/auditevent/{event_id}/delete/").status_code == 403


def test_every_owner_is_told_at_once(
    inside: Client, nora: User, people: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job.objects.get(name="accounts.mail_visit")
    assert job.args["user_id"] == str(nora.pk) and job.run_at <= datetime.now(UTC)
    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append((to, mail.text)))
    jobs.mail_visit(**job.args)
    assert sent[0][0] == nora.email
    assert REASON in sent[0][1] and "Robin" in sent[0][1] and "as Nora Lind" in sent[0][1]


def test_a_link_works_once(link: Callable[..., str], browser: Browser) -> None:
    path = link()
    assert browser().post(path).status_code == 302
    again = browser()
    assert again.post(path).status_code == 410 and again.get("/manage/").status_code == 302


def test_a_link_is_good_in_the_browser_and_network_that_asked_for_it(
    admin: Client, tenant: Any, nora: User, browser: Browser
) -> None:
    """Whoever reads it in a log, or over a shoulder, opens nothing by it."""
    at_the_desk: dict[str, Any] = {"REMOTE_ADDR": "2001:db8:7::12", "HTTP_USER_AGENT": "Mozilla/5.0 of Robin"}
    form = f"/admin/tenants/tenant/{tenant.pk}/enter/"
    answer = admin.post(form, {"user": str(nora.pk), "reason": REASON}, **at_the_desk)
    path = urlsplit(answer["Location"]).path
    for elsewhere in ({"REMOTE_ADDR": "2001:db8:8::12"}, {"HTTP_USER_AGENT": "Mozilla/5.0 of Mallory"}):
        thief = browser(**(at_the_desk | elsewhere))
        assert thief.get(path).status_code == thief.post(path).status_code == 410
    desk = browser(**(at_the_desk | {"REMOTE_ADDR": "2001:db8:7::34"}))  # the same /64
    assert desk.post(path)["Location"] == "/manage/"


def test_a_link_is_void_after_a_minute(link: Callable[..., str], browser: Browser) -> None:
    path = link()
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61), tick=False):
        assert browser().get(path).status_code == browser().post(path).status_code == 410


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: "x" + t, lambda t: t + "A", lambda t: "nothing"]
)
def test_a_changed_link_is_void(link: Callable[..., str], browser: Browser, change: Any) -> None:
    token = link().split("/")[2]
    assert browser().post(f"/visit/{change(token)}/").status_code == 410


@pytest.mark.parametrize(
    "value",
    ["x", ["t_alpha"], ["t_alpha", "zz", ""], ["t_alpha", uuid4().hex, ""], {"a": 1}, [1, 2], [1, 2, 3]],
)
def test_a_well_signed_link_to_nothing_is_void(tenant: Any, browser: Browser, value: Any) -> None:
    token = signing.Signer(salt=visiting.SALT).sign_object(value)
    assert browser().post(f"/visit/{token}/").status_code == 410


def test_a_link_of_another_kind_is_void(tenant: Any, browser: Browser, link: Callable[..., str]) -> None:
    link()
    other = signing.Signer(salt="accounts.invitation").sign_object(
        ["t_alpha", Visit.objects.get().pk.hex, ""]
    )
    assert browser().post(f"/visit/{other}/").status_code == 410


def test_a_link_opens_nothing_on_another_tenants_host(link: Callable[..., str], browser: Browser) -> None:
    path = link()
    assert browser("beta").post(path).status_code == 410
    assert browser("alpha").post(path).status_code == 302


def test_a_session_opens_nothing_on_another_tenants_host(inside: Client) -> None:
    assert inside.get("/manage/").status_code == 200
    assert inside.get("/manage/", headers={"host": "beta.localhost"}).status_code == 302


def test_after_half_an_hour_it_is_over(inside: Client) -> None:
    begun = datetime.now(UTC)
    with time_machine.travel(begun + timedelta(minutes=29), tick=False):
        assert inside.get("/manage/").status_code == 200
    with time_machine.travel(begun + timedelta(minutes=30, seconds=1), tick=False):
        assert inside.get("/manage/").status_code == 302
    assert inside.get("/manage/").status_code == 302  # and does not come back with the clock


def test_it_dies_with_the_one_who_visits(inside: Client, robin: User) -> None:
    with enter_public():
        User.objects.filter(pk=robin.pk).update(is_active=False)
    assert inside.get("/manage/").status_code == 302


def test_it_dies_with_the_one_visited(inside: Client, nora: User) -> None:
    User.objects.filter(pk=nora.pk).update(is_active=False)
    assert inside.get("/manage/").status_code == 302


@pytest.mark.parametrize("why", ["left staff", "user gone", "tenant closed"])
def test_what_changed_since_the_link_counts(
    link: Callable[..., str], browser: Browser, robin: User, nora: User, tenant: Any, why: str
) -> None:
    path = link()
    if why == "user gone":
        User.objects.filter(pk=nora.pk).update(is_active=False)
    with enter_public():
        if why == "left staff":
            User.objects.filter(pk=robin.pk).update(is_active=False)
        if why == "tenant closed":
            Tenant.objects.filter(pk=tenant.pk).update(status="closed")
    assert browser().post(path).status_code == 410


def test_rehearsals_closed_tenants_and_unknown_users_are_not_entered(
    tenant: Any, nora: User, robin: User
) -> None:
    now = datetime.now(UTC)

    def allow(of: Any = tenant, user: Any = nora.pk, reason: str = REASON, staff: User = robin) -> str:
        with enter_public():
            return visiting.allow(Wish(of, user, reason), staff=staff, actor=Actor("user"), now=now)

    tenant.is_rehearsal = True
    with pytest.raises(Refused, match="rehearsal"):
        allow()
    tenant.is_rehearsal = False
    tenant.status = "closed"
    with pytest.raises(Refused, match="closed"):
        allow()
    tenant.status = "active"
    with pytest.raises(Refused, match="no such active user"):
        allow(user=robin.pk)
    with pytest.raises(Refused, match="why"):
        allow(reason="   x      ")
    assert not Visit.objects.exists()


def test_only_the_platforms_staff_get_to_the_form(tenant: Any, nora: User, browser: Browser) -> None:
    path = f"/admin/tenants/tenant/{tenant.pk}/enter/"
    assert Client(HTTP_HOST=settings.SITE_HOST).get(path).status_code == 302
    client = browser()
    logging_in.enter(client, nora)
    assert client.get(path).status_code == 404
    wish, now = Wish(tenant, nora.pk, REASON), datetime.now(UTC)
    with enter_public(), pytest.raises(PermissionDenied):
        visiting.allow(wish, staff=nora, actor=Actor("user"), now=now)


def test_the_session_before_it_is_gone_and_the_users_last_log_in_stays(
    link: Callable[..., str], browser: Browser, people: Callable[..., User], nora: User
) -> None:
    client = browser()
    logging_in.enter(client, people("emil@x.example"))
    key = client.session.session_key
    client.post(link())
    assert client.session.session_key != key and client.session["_auth_user_id"] == str(nora.pk)
    nora.refresh_from_db()
    assert nora.last_login is None


FORBIDDEN = {
    "/manage/invoices/{x}/void/": "void", "/manage/invoices/{x}/issue/": "issue",
    "/manage/invoices/{x}/payment/": "manual payment", "/manage/settings/stripe/key/": "Stripe's keys",
    "/manage/settings/stripe/disconnect/": "Stripe's connection", "/manage/import/": "import",
    "/manage/settings/staff/invite/": "invite colleagues", "/manage/settings/staff/{x}/role/": "roles",
    "/manage/settings/staff/hand-over/": "ownership", "/manage/customers/{x}/invite/": "invite contacts",
    "/manage/subscriptions/new/": "subscriptions", "/manage/runs/now/": "runs",
    "/account/confirm/": "prove to be the person", "/forgotten/": "password",
    "/manage/settings/": "settings", "/manage/products/new/": "catalog",
}  # fmt: skip


@pytest.mark.parametrize(("path", "what"), FORBIDDEN.items(), ids=FORBIDDEN.values())
def test_out_of_reach_of_the_one_who_visits(inside: Client, nora: User, path: str, what: str) -> None:
    before = AuditEvent.objects.count()
    form = {"password": PASSWORD, "email": nora.email} | stamped("reset")
    answer = inside.post(path.format(x=uuid4()), form)
    assert answer.status_code == 403
    assert "has no hand in money" in answer.content.decode()
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("action", sorted(set(Action) - WHEN_BEHIND))
def test_no_rule_records_anything_else_for_the_one_who_visits(
    tenant: Any, now: datetime, action: Any
) -> None:
    """Whatever a page forgets: every change leaves its event, and such an event cannot be written."""
    behind = Actor("user", "1", "Nora", behind_id="2", behind_label="Robin")
    with pytest.raises(NotBehind):
        record(action, subject=("x", 1), actor=behind, now=now)


def test_what_is_left_is_little() -> None:
    assert {action.value for action in WHEN_BEHIND} == {
        "user.logged_in", "user.logged_out", "session.ended", "visit.begun", "visit.ended",
        "customer.changed",
    }  # fmt: skip


def test_what_they_correct_bears_both_names_in_a_whole_chain(
    inside: Client, tenant: Any, actor: Any, now: datetime
) -> None:
    from accounts.customers import create_customer

    fields = {"name": "Lind", "email": "nora@lind.example", "country": "DE", "currency": "EUR"}
    lind = create_customer(actor=actor, now=now, **fields)
    inside.post(f"/manage/customers/{lind.pk}/change/", fields | {"city": "Kiel", "locale": "en"})
    found = opened([AuditEvent.objects.get(action="customer.changed")])[0]
    assert (found.label, found.behind) == (
        "Nora Lind <nora@lind.example>", "Robin <robin@pro.example>",
    )  # fmt: skip
    assert verify().problem is None
    assert (
        "by Robin &lt;robin@pro.example&gt; of ProEcommerce" in inside.get("/manage/audit/").content.decode()
    )


def test_where_money_goes_and_what_is_charged_stays_as_it_is(
    inside: Client, link: Callable[..., str], browser: Browser, people: Callable[..., User], actor: Any,
    now: datetime,
) -> None:  # fmt: skip
    """Invoices and pay links go to the address; country and tax ID decide on the tax."""
    from accounts.customers import MONEY, change_customer, create_customer
    from accounts.people import add_contact

    fields = {"name": "Lind", "email": "nora@lind.example", "country": "DE", "currency": "EUR"}
    lind = create_customer(actor=actor, now=now, **fields)
    kim = people("kim@lind.example", role="contact")
    add_contact(kim, lind, actor=actor, now=now)
    portal = browser()
    portal.post(link(kim))
    path = f"/manage/customers/{lind.pk}/change/"
    for client, page in ((inside, path), (portal, "/details/")):
        assert "stay as they are" in client.get(page).content.decode()
        for wrong in ({"tax_id": "DE999999999"}, {"country": "AT"}):
            answer = client.post(page, fields | {"name": "Berg", "locale": "en"} | wrong)
            assert answer.status_code == 422 and "Whoever helps as somebody else" in answer.content.decode()
    for field, value in {"email": "thief@x.example", "currency": "USD"}.items():
        answer = inside.post(path, fields | {"name": "Berg", "locale": "en", field: value})
        assert answer.status_code == 422, field
    behind = Actor("user", "1", "Nora", behind_id="2", behind_label="Robin")
    for field in MONEY:
        with pytest.raises(Refused, match="does not change"):
            change_customer(lind, actor=behind, now=now, **{"name": "Berg", field: "XX"})
    lind.refresh_from_db()
    assert {name: getattr(lind, name) for name in fields} == fields and lind.tax_id == ""
    assert portal.post("/details/", {"name": "Berg", "country": "DE"})["Location"] == "/details/"


def test_logging_out_ends_it_too(inside: Client) -> None:
    inside.post("/log-out/")
    assert Visit.objects.get().ended_at is not None
    assert inside.get("/manage/").status_code == 302


def test_beginning_and_leaving_need_the_forms_token(link: Callable[..., str], browser: Browser) -> None:
    client = browser(enforce_csrf_checks=True)
    path = link()
    assert client.post(path).status_code == 403
    token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get(path).content.decode())
    assert token is not None
    assert client.post(path, {"csrfmiddlewaretoken": token.group(1)}).status_code == 302
    assert client.post("/visit/leave/").status_code == 403


def test_as_a_contact_they_see_the_portal_and_pay_nothing(
    link: Callable[..., str], browser: Browser, people: Callable[..., User], actor: Any, now: datetime
) -> None:
    from accounts.customers import create_customer
    from accounts.people import add_contact

    fields = {"name": "Lind", "email": "nora@lind.example", "country": "DE", "currency": "EUR"}
    lind = create_customer(actor=actor, now=now, **fields)
    kim = people("kim@lind.example", role="contact")
    contact = add_contact(kim, lind, actor=actor, now=now)
    client = browser()
    assert client.post(link(kim))["Location"] == "/"
    assert "of ProEcommerce, as" in client.get("/").content.decode()
    for path in ("/invoices/", "/cards/", "/details/", "/team/"):
        assert client.get(path).status_code == 200, path
    x = uuid4()
    for path in (
        f"/invoices/{x}/pay/", f"/invoices/{x}/pay/status/", "/cards/add/", f"/cards/{x}/default/",
        f"/cards/{x}/remove/", "/autopay/", "/team/invite/", f"/team/{contact.pk}/remove/", "/pay/x/card/",
        "/pay/x/status/",
    ):  # fmt: skip
        assert client.post(path, {"on": "1"}).status_code == 403, path
    assert client.get("/pay/x/").status_code == 403
