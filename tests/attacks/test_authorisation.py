"""Attacks A1–A12: reaching for what is somebody else's, each test named by its number."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as site
from django.core import signing
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts import contacts, inviting
from accounts.grants import Grant
from accounts.inviting import Invitee
from accounts.models import Contact, Customer, Invitation, User
from accounts.people import create_user
from billing import pay_links
from billing.models import Invoice, PaymentMethod, PaymentProfile
from billing.portal.forms import DetailsForm
from tenants import clock
from tenants.context import enter, enter_public
from tenants.models import Tenant
from tests import logging_in, routes
from tests.accounts.factors import SETUP
from tests.attacks.test_injection import hostile_fields
from tests.billing.portal import making
from tests.billing.portal.making import Account

Inside = Callable[..., Client]
CANARY = "canary-of-the-victim"
ADDRESS = {
    "name": "Ida Holm", "business_name": "Holm", "email": "ida@holm.example", "country": "DE",
    "currency": "EUR", "locale": "en",
}  # fmt: skip


@pytest.fixture
def mallory(tenant: Any) -> Account:
    """A customer of the tenant, who attacks."""
    return making.account("mallory@evil.example", name="Mallory", business_name="Evil Ltd")


@pytest.fixture
def victim(tenant: Any) -> dict[str, Any]:
    """Another customer, with one of everything that has an address, and a canary in its texts."""
    account = making.account("nora@lind.example", name=CANARY, business_name=CANARY)
    bill = making.invoice(account.customer, due=making.TODAY, lines=((CANARY, 1400),))
    invited = contacts.invite_contact(
        account.customer, Grant.of(["invoices"]), email=f"{CANARY}@x.example", name="", by=account.user,
        actor=SETUP, now=clock.now(),
    )  # fmt: skip
    return {
        "account": account, "customer_id": account.customer.pk, "invoice_id": bill.pk,
        "card_id": making.card(account.customer).pk, "invitation_id": invited.pk,
        "contact_id": Contact.objects.get(user=account.user).pk, "user_id": account.user.pk,
    }  # fmt: skip


def asked(client: Client, path: str, ids: dict[str, Any]) -> list[Any]:
    """Ask by each way in which a key may be sent: path, query, form, JSON; what is changed is undone."""
    keys = {name: str(value) for name, value in ids.items() if name.endswith("_id")}
    keys |= {name.removesuffix("_id"): value for name, value in keys.items()}
    point, found = transaction.savepoint(), []
    found.append(client.get(path, keys))
    found.append(client.post(path, keys | ADDRESS | {"permissions": ["invoices"]}, query_params=keys))
    found.append(client.post(path, keys, "application/json"))
    transaction.savepoint_rollback(point)
    return found


def test_a1_the_keys_of_another_customer_open_and_change_nothing(
    victim: dict[str, Any], mallory: Account, inside: Inside
) -> None:
    """Every page of the portal, with the other's keys in path, query, form and JSON."""
    client = inside(mallory.user)
    paths = [each for each in routes.every(victim) if each.name.startswith("portal:")]
    assert len(paths) > 15
    for route in paths:
        for answer in asked(client, route.path, victim):
            body = answer.content.decode(errors="replace")
            assert CANARY not in body and "nora@lind.example" not in body, route
            theirs = any(str(value) in route.path for value in victim.values())
            assert not theirs or answer.status_code in {302, 403, 404, 405}, (route, answer.status_code)
    client.post(f"/cards/{victim['card_id']}/remove/")
    client.post(f"/team/{victim['contact_id']}/remove/")
    client.post(f"/team/invitations/{victim['invitation_id']}/withdraw/")
    client.post("/switch/", {"customer": str(victim["customer_id"])})
    assert CANARY not in client.get("/").content.decode()
    assert PaymentMethod.objects.get(pk=victim["card_id"]).removed_at is None
    assert Contact.objects.filter(pk=victim["contact_id"]).exists()


def test_a2_no_role_reaches_the_pages_of_one_above(
    victim: dict[str, Any], mallory: Account, inside: Inside
) -> None:
    """Nobody and a customer at the tenant's pages; an owner at the platform's; read-only at changes."""
    stranger, customer = Client(HTTP_HOST="alpha.localhost"), inside(mallory.user)
    owner, reader = making.person("o@a.example", "owner"), making.person("r@a.example", "read_only")
    before = User.objects.count(), Customer.objects.count(), Invoice.objects.count()
    for route in routes.every(victim):
        if not route.name.startswith("manage:"):
            continue
        for method in ("get", "post"):
            to_login = getattr(stranger, method)(route.path)
            assert to_login.status_code in {302, 405}, route
            assert "/log-in/" in to_login.headers.get("Location", "/log-in/"), route
            assert getattr(customer, method)(route.path).status_code in {403, 405}, route
    for path in ("/admin/", "/admin/tenants/tenant/", "/admin/tenants/job/"):
        public = Client(HTTP_HOST=site.SITE_HOST)
        public.cookies = inside(owner).cookies
        assert public.get(path).status_code == 302, path
        assert inside(owner).get(path).status_code == 404, path
    look = inside(reader)
    for path in ("/manage/customers/new/", "/manage/products/new/", "/manage/settings/staff/invite/",
                 f"/manage/invoices/{victim['invoice_id']}/void/", "/manage/runs/now/"):  # fmt: skip
        assert look.post(path, ADDRESS | {"reason": "x", "role": "owner"}).status_code == 403, path
    assert (User.objects.count(), Customer.objects.count(), Invoice.objects.count()) == before


def test_a3_the_keys_and_links_of_another_tenant_open_nothing(two_tenants: Any, people: Any) -> None:
    """An owner of one tenant asks every page of its own host with the keys of the other's things."""
    alpha, beta = two_tenants
    with enter(beta):
        account = making.account("nora@lind.example", name=CANARY, business_name=CANARY, currency="USD")
        bill = making.invoice(account.customer, due=making.TODAY, lines=((CANARY, 1400),))
        invited = inviting.invite(Invitee("x@x.example", "owner"), actor=SETUP, now=clock.now())
        ids = {"customer_id": account.customer.pk, "invoice_id": bill.pk, "user_id": account.user.pk,
               "card_id": making.card(account.customer).pk,
               "token": pay_links.token_for(bill, clock.now())}  # fmt: skip
        token = inviting.token_of(invited)
    client = Client(HTTP_HOST="alpha.localhost", raise_request_exception=False)
    with enter(alpha):
        logging_in.enter(client, people())
        for route in routes.every(ids):
            if route.host == "alpha.localhost":
                answer = client.get(route.path)
                body = (
                    b"".join(getattr(answer, "streaming_content", ())) if answer.streaming else answer.content
                )
                assert answer.status_code < 500 and CANARY.encode() not in body, route
        assert client.get(f"/pay/{ids['token']}/").status_code in {404, 410}
        assert client.get(f"/invitation/{token}/").status_code == 410
    assert Client(HTTP_HOST="beta.localhost").get(f"/pay/{ids['token']}/").status_code == 200
    stolen = Client(HTTP_HOST="beta.localhost")
    stolen.cookies = client.cookies
    assert stolen.get("/manage/").status_code == 302


def test_a4_a_form_takes_no_field_that_it_does_not_show(
    victim: dict[str, Any], mallory: Account, inside: Inside
) -> None:
    """Every field of every model is sent along: staff, role, tenant, balance, verified and the rest."""
    extra = hostile_fields()
    assert {"is_owner", "role", "is_active", "status", "external_id", "credit"} <= set(extra)
    shown = dict.fromkeys(DetailsForm.base_fields, "")
    sent = extra | shown | ADDRESS | {"email": "mallory@evil.example", "is_owner": "on"}
    assert inside(mallory.user).post("/details/", sent).status_code == 302
    changed, user = Customer.objects.get(pk=mallory.customer.pk), User.objects.get(pk=mallory.user.pk)
    assert changed.name == "Ida Holm"
    kept = ("id", "external_id", "status", "currency", "created_at")
    assert [getattr(changed, name) for name in kept] == [getattr(mallory.customer, name) for name in kept]
    assert (user.role, user.is_active, user.email) == ("contact", True, "mallory@evil.example")
    owner = inside(making.person("o@a.example", "owner"))
    assert owner.post("/manage/customers/new/", extra | shown | ADDRESS).status_code == 302
    made = Customer.objects.get(email="ida@holm.example")
    assert (made.status, made.external_id) == ("active", None)
    assert made.created_at.year != 2031


def test_a5_a_file_is_its_owners_and_gone_with_the_session(
    victim: dict[str, Any], mallory: Account, inside: Inside
) -> None:
    path = f"/invoices/{victim['invoice_id']}/pdf/"
    owner = inside(victim["account"].user)
    assert owner.get(path).content.startswith(b"%PDF")
    for client in (inside(mallory.user), Client(HTTP_HOST="alpha.localhost")):
        assert client.get(path).status_code in {302, 404}
        assert client.get(f"/manage{path}").status_code in {302, 403}
    owner.post("/log-out/")
    assert owner.get(path).status_code == 302


def test_a6_signed_links_hold_once_for_a_time_and_for_what_they_were_made(
    victim: dict[str, Any], tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changed, of another purpose, used again, and too old."""
    stranger, moment = Client(HTTP_HOST="alpha.localhost"), clock.now()
    bill = Invoice.objects.get(pk=victim["invoice_id"])
    link = pay_links.token_for(bill, moment)
    assert stranger.get(f"/pay/{link}/").status_code == 200
    for forged in (link[:-1], f"x{link}", link.replace(":", "", 1), signing.Signer(salt="other").sign("x")):
        assert stranger.get(f"/pay/{forged}/").status_code in {404, 410}, forged
    invited = inviting.invite(Invitee("a@x.example", "billing"), actor=SETUP, now=moment)
    token = inviting.token_of(invited)
    assert stranger.get(f"/pay/{token}/").status_code in {404, 410}
    assert stranger.get(f"/invitation/{link}/").status_code == 410
    accept = {"name": "A", "password": "four words of a garden"}
    assert stranger.post(f"/invitation/{token}/", accept).status_code == 302
    assert Client(HTTP_HOST="alpha.localhost").post(f"/invitation/{token}/", accept).status_code == 410
    late = inviting.token_of(inviting.invite(Invitee("b@x.example", "owner"), actor=SETUP, now=moment))
    monkeypatch.setattr(clock, "now", lambda: moment + timedelta(days=200))
    assert Client(HTTP_HOST="alpha.localhost").get(f"/invitation/{late}/").status_code == 410
    assert Client(HTTP_HOST="alpha.localhost").get(f"/pay/{link}/").status_code == 410


def test_a7_nobody_is_what_the_request_says(mallory: Account, inside: Inside, tenant: Any) -> None:
    """Role, user and tenant in query, form, JSON, headers and cookies."""
    client = inside(mallory.user)
    client.cookies["role"] = client.cookies["tenant"] = "owner"
    said = {"role": "owner", "is_staff": "1", "user": str(uuid4()), "tenant": "beta", "schema": "t_beta"}
    headers = {"x-role": "owner", "x-user": "1", "x-tenant": "beta", "x-forwarded-user": "admin",
               "x-original-url": "/manage/", "x-rewrite-url": "/manage/", "authorization": "Basic YTpi",
               "x-forwarded-host": "beta.localhost", "x-forwarded-prefix": "/manage"}  # fmt: skip
    for path in ("/manage/", "/manage/customers/", "/manage/settings/staff/"):
        assert client.get(path, said, headers=headers).status_code in {302, 403}, path
        assert client.post(path, said, headers=headers).status_code in {302, 403, 405}, path
    home = client.get("/", said, headers=headers)
    assert home.status_code == 200 and "Evil Ltd" in home.content.decode()
    assert "Beta" not in home.content.decode()


def test_a8_no_other_way_to_write_an_address_opens_it(
    victim: dict[str, Any], mallory: Account, inside: Inside
) -> None:
    """Other methods, overrides of the method, other slashes, cases and encodings."""
    client, bill = inside(mallory.user), victim["invoice_id"]
    stranger = Client(HTTP_HOST="alpha.localhost")
    for path in ("/manage", "/MANAGE/", "/Manage/", "/manage//", "/manage;/", "/manage/.",
                 "/manage/..;/manage/",
                 "/%2e/manage/", "/manage%2f", "/manage/%00", "/./manage/", "/manage/customers",
                 f"/invoices/{bill}", f"/invoices/{bill};x/", f"/invoices/{str(bill).upper()}/",
                 f"/invoices/{bill.hex}/", f"/invoices/{bill}//"):  # fmt: skip
        for method in ("get", "head", "post", "options", "put", "patch", "delete"):
            for browser in (client, stranger):
                answer = getattr(browser, method)(path)
                assert answer.status_code in {301, 302, 403, 404, 405}, (method, path, answer.status_code)
                assert CANARY.encode() not in answer.content
    over = {"x-http-method-override": "POST", "x-method-override": "DELETE", "x-http-method": "DELETE"}
    client.get("/log-out/", {"_method": "POST"}, headers=over)
    client.post(f"/invoices/{bill}/", {"_method": "DELETE"}, headers=over)
    assert client.get("/").status_code == 200
    assert Invoice.objects.filter(pk=bill).exists()


def test_a9_nothing_of_the_workshop_is_open_to_strangers(tenant: Any) -> None:
    """Set-up, debugging, metrics; what health tells; the proxy's question about certificates."""
    for host in routes.hosts():
        client = Client(HTTP_HOST=host, REMOTE_ADDR="203.0.113.9")
        for path in ("/setup/", "/install/", "/metrics", "/debug/", "/__debug__/", "/silk/", "/server-status",
                     "/admin/setup/", "/internal/certificate/?domain=alpha.localhost", "/api/"):  # fmt: skip
            assert client.get(path).status_code in {302, 404}, (host, path)
    health = Client(HTTP_HOST=site.SITE_HOST).get("/healthz")
    assert health.status_code == 200 and len(health.content) < 200
    assert not any(word in health.content.decode().lower() for word in ("version", "postgres", "redis"))
    page = Client(HTTP_HOST="alpha.localhost").get("/none/").content.decode()
    assert "urlconf" not in page.lower() and "DEBUG" not in page


def test_a10_the_admin_is_the_platforms_and_changes_nothing_by_hand(tenant: Any, people: Any) -> None:
    """Every page of the admin: for nobody, for somebody of the platform without the second factor; writes."""
    from django.contrib import admin

    staff, half = Client(HTTP_HOST=site.SITE_HOST), Client(HTTP_HOST=site.SITE_HOST)
    stranger = Client(HTTP_HOST=site.SITE_HOST)
    with enter_public():
        robin = create_user(
            email="robin@pro.example",
            name="Robin",
            role="platform",
            password=None,
            actor=SETUP,
            now=making.NOW,
        )
        logging_in.enter(staff, robin, methods={"password", "totp"})
        logging_in.enter(half, robin)
        before = User.objects.count()
    known = {"object_id": tenant.pk}
    paths = [each.path for each in routes.every(known) if each.name.startswith("admin:")]
    assert len(paths) > 20
    for path in paths:
        for client in (stranger, half):
            for method in ("get", "post"):
                answer = getattr(client, method)(path, {"_popup": "1", "q": "a", "app_label": "tenants"})
                assert answer.status_code in {302, 404} or path.endswith("/login/"), (
                    path,
                    answer.status_code,
                )
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        for ending, args in (("add", []), ("change", [tenant.pk]), ("delete", [tenant.pk])):
            try:
                path = reverse(f"{name}_{ending}", args=args, urlconf=site.PUBLIC_URLCONF)
            except NoReverseMatch:
                continue  # there is no such page at all
            answer = staff.post(
                f"{path}?_popup=1", {"name": "Mallory", "post": "yes", "email": "m@x.example"}
            )
            assert answer.status_code in {302, 403, 404}, path
            assert "_popup" not in answer.headers.get("Location", "")
    with enter_public():
        assert Tenant.objects.get(pk=tenant.pk).name == "Alpha Hosting"
        assert User.objects.count() == before


def test_a11_what_is_taken_away_is_gone_with_the_next_request(victim: dict[str, Any], inside: Inside) -> None:
    account: Account = victim["account"]
    sub = making.person("sub@lind.example")
    contact = Contact.objects.create(
        user=sub, customer=account.customer, permissions=["details", "invoices"], created_at=making.NOW
    )
    client = inside(sub)
    acting: dict[str, Any] = {"by": account.user, "actor": SETUP, "now": clock.now()}
    assert client.get("/invoices/").status_code == 200
    contacts.change_contact(contact.pk, account.customer, Grant.of(["details"]), **acting)
    assert client.get("/invoices/").status_code == 403
    assert client.get(f"/invoices/{victim['invoice_id']}/pdf/").status_code == 403
    contacts.remove_contact(contact.pk, account.customer, **acting)
    assert client.get("/details/").status_code == 403


@pytest.mark.parametrize("closed", ["person", "customer", "workspace"])
def test_a12_who_is_shut_out_does_nothing_more(
    victim: dict[str, Any], inside: Inside, tenant: Any, closed: str
) -> None:
    """A person deactivated, a customer closed, a workspace suspended, while their pages are open."""
    account: Account = victim["account"]
    client = inside(account.user)
    owner = inside(making.person("o@a.example", "owner"))
    other = making.card(account.customer, "4444", default=False)
    before = state_of(account)
    if closed == "person":
        User.objects.update(is_active=False)
    elif closed == "customer":
        Customer.objects.update(status="closed")
    else:
        with enter_public():
            Tenant.objects.filter(pk=tenant.pk).update(status="suspended")
    with enter(Tenant.objects.get(pk=tenant.pk)):
        for path in ("/details/", "/autopay/", "/team/invite/", f"/cards/{other.pk}/default/"):
            is_refused(client.post(path, ADDRESS | {"on": "1", "permissions": ["invoices"]}))
        if closed != "customer":
            is_refused(owner.post("/manage/customers/new/", ADDRESS))
        assert not Customer.objects.filter(name="Ida Holm").exists()
        assert PaymentMethod.objects.get(pk=victim["card_id"]).removed_at is None
        assert state_of(account) == before


def is_refused(answer: Any) -> None:
    """By name, or as a stranger: any other redirect may be that of a success."""
    to_login = answer.status_code == 302 and answer["Location"].startswith("/log-in/")
    assert to_login or answer.status_code == 403, (answer.status_code, answer.headers.get("Location"))


def state_of(account: Account) -> tuple[Any, ...]:
    """What the forms would change: autopay, invitations, the default card."""
    return (
        PaymentProfile.objects.filter(customer=account.customer, autopay=True).exists(),
        list(
            Invitation.objects.filter(customer=account.customer)
            .order_by("pk")
            .values_list("email", flat=True)
        ),
        PaymentMethod.objects.get(customer=account.customer, is_default=True).pk,
    )


@pytest.mark.parametrize("shut", [False, True])
def test_a12_the_same_forms_change_all_that_for_who_is_not_shut_out(
    victim: dict[str, Any], inside: Inside, shut: bool
) -> None:
    """So that a refusal above is one: the forms are good, and who sends them is what matters."""
    account: Account = victim["account"]
    client, before = inside(account.user), state_of(account)
    other = making.card(account.customer, "4444", default=False)
    User.objects.filter(pk=account.user.pk).update(is_active=not shut)
    for path in ("/autopay/", "/team/invite/", f"/cards/{other.pk}/default/"):
        client.post(path, ADDRESS | {"on": "1", "permissions": ["invoices"]})
    after = state_of(account)
    assert [was == now for was, now in zip(before, after, strict=True)] == [shut] * 3
