"""Contacts of a customer: invited, limited, changed and removed, with the next request, by those who may."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client

from accounts import contacts, inviting, jobs
from accounts.errors import Refused
from accounts.grants import ALL, Grant, Permission
from accounts.models import Contact, Customer, Invitation, User
from accounts.people import add_contact
from audit.models import AuditEvent
from billing import customer_queries
from tenants import clock
from tests import logging_in
from tests.billing.portal import making
from tests.billing.portal.conftest import text
from tests.billing.portal.making import Account

Browser = Callable[..., Client]
ACTING: dict[str, Any] = {"actor": making.ACTOR, "now": making.NOW}
# permission: what it opens to look at, and which forms it sends
OPENS = {
    "invoices": ({"/invoices/", "/invoices/{invoice}/", "/invoices/{invoice}/pdf/"}, set()),
    "pay": ({"/invoices/{invoice}/pay/", "/invoices/{invoice}/pay/status/"},
            {"/invoices/{invoice}/pay/", "/invoices/{invoice}/pay/status/"}),
    "cards": ({"/cards/", "/cards/add/", "/cards/add/none/status/"},
              {"/cards/{card}/default/", "/cards/{card}/remove/", "/autopay/", "/cards/add/",
               "/cards/add/none/status/"}),
    "details": ({"/details/"}, {"/details/"}),
    "contacts": ({"/team/", "/team/invite/", "/team/{contact}/"},
                 {"/team/invite/", "/team/{contact}/", "/team/{contact}/remove/",
                  "/team/invitations/{invitation}/resend/", "/team/invitations/{invitation}/withdraw/"}),
    "services": (set(), set()), "domains": (set(), set()), "tickets": (set(), set()),
    "privacy": (set(), set()),
}  # fmt: skip
FREE = ({"/", "/switch/"}, {"/switch/"})


def test_an_open_screen_gives_nobody_access_and_moves_no_card(
    lind: Account, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quarter of an hour after the log-in it is asked who it is; what was sent changes nothing."""
    making.card(lind.customer)
    other = making.card(lind.customer, "4444", default=False)
    jo = add_contact(making.person("jo@lind.example"), lind.customer, grant=Grant.of(["contacts"]), **ACTING)
    sent = {
        "/autopay/": {"on": "1"},
        f"/cards/{other.pk}/default/": {},
        "/team/invite/": {"email": "thief@evil.example", "is_owner": "on"},
        f"/team/{jo.pk}/": {"is_owner": "on"},
    }
    monkeypatch.setattr(clock, "now", lambda: making.NOW + timedelta(minutes=16))
    for path, form in sent.items():
        assert page.post(path, form)["Location"].startswith("/account/confirm/?next="), path
    jo.refresh_from_db()
    assert not jo.is_owner and not Invitation.objects.filter(email="thief@evil.example").exists()
    assert not customer_queries.autopay_of(lind.customer).on
    assert customer_queries.card(lind.customer, other.pk).is_default is False


@pytest.fixture
def others(lind: Account) -> dict[str, Any]:
    """What stands in addresses: things of the customer, and a contact who may nothing much."""
    other = making.person("other@lind.example")
    contact = add_contact(other, lind.customer, grant=Grant.of(["contacts"]), **ACTING)
    invitation = contacts.invite_contact(
        lind.customer, Grant.of(["contacts"]), email="jo@lind.example", name="", by=lind.user, **ACTING
    )
    made = making.invoice(lind.customer, due=making.TODAY)
    return {
        "invoice": made.pk, "card": making.card(lind.customer).pk, "contact": contact.pk,
        "invitation": invitation.pk,
    }  # fmt: skip


@pytest.fixture
def limited(lind: Account) -> Callable[..., User]:
    """Make somebody who may do only this for the customer."""

    def make(*permissions: str, email: str = "limited@lind.example") -> User:
        user = making.person(email, name="Lea Limited")
        add_contact(user, lind.customer, grant=Grant.of(permissions), **ACTING)
        return user

    return make


def test_the_table_names_every_page_of_the_portal(others: dict[str, Any]) -> None:
    from django.urls import resolve

    from billing.portal.urls import urlpatterns

    table = [*OPENS.values(), FREE]
    paths = {path.format(**others) for pair in table for paths in pair for path in paths}
    assert {resolve(path).url_name for path in paths} == {pattern.name for pattern in urlpatterns}


@pytest.mark.parametrize("permission", [*OPENS, ""])
def test_a_permission_opens_its_pages_and_no_others(
    lind: Account, others: dict[str, Any], limited: Any, browser: Browser, permission: str
) -> None:
    user = limited(*filter(None, [permission]))
    client = browser(user)
    held = Grant.of([permission]).permissions
    for column, method in enumerate(("get", "post")):
        opened = set().union(FREE[column], *(OPENS[each][column] for each in held))
        for path in set().union(FREE[column], *(pair[column] for pair in OPENS.values())):
            point = transaction.savepoint()
            answer = getattr(client, method)(path.format(**others))
            transaction.savepoint_rollback(point)
            if path in opened:
                assert answer.status_code not in {403, 404, 405}, (method, path)
            else:
                assert answer.status_code == 403, (method, path)
                assert "nora@lind.example" in answer.content.decode(), path


def test_home_and_navigation_show_only_what_one_may(
    lind: Account, limited: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer_queries, "takes_cards", lambda: True)
    making.invoice(lind.customer, due=making.TODAY)
    making.card(lind.customer)
    making.subscription(lind.customer, making.price(), making.TODAY)
    seen = {
        each: browser(limited(each, email=f"{each}@x.example")).get("/").content.decode() for each in OPENS
    }
    marks = {
        "invoices": 'id="balance"', "cards": 'id="paying"', "details": 'id="own"', "contacts": 'id="team"',
        "services": 'id="renewals"',
    }  # fmt: skip
    for permission, mark in marks.items():
        shown = {each for each, page in seen.items() if mark in page}
        assert shown == ({"invoices", "pay"} if permission == "invoices" else {permission})
    assert "4242" not in seen["invoices"] + seen["pay"] + seen["contacts"]
    assert "/pay/" in seen["pay"] and "/pay/" not in seen["invoices"]
    for path, permission in (("/cards/", "cards"), ("/team/", "contacts"), ("/details/", "details")):
        assert {each for each, page in seen.items() if f'href="{path}"' in page} == {permission}


def test_a_permission_taken_away_is_gone_with_the_next_request(
    lind: Account, limited: Any, browser: Browser
) -> None:
    user = limited("invoices", "pay", "details")
    client = browser(user)
    assert client.get("/invoices/").status_code == 200
    contact = Contact.objects.get(user=user)
    contacts.change_contact(contact.pk, lind.customer, Grant.of(["details"]), by=lind.user, **ACTING)
    answer = client.get("/invoices/")
    assert answer.status_code == 403
    assert "For Lind & Söhne GmbH you may: Billing details" in text(answer)
    contacts.remove_contact(contact.pk, lind.customer, by=lind.user, **ACTING)
    assert client.get("/details/").status_code == 403
    kinds = AuditEvent.objects.filter(action__startswith="contact.").order_by("seq")
    assert list(kinds.values_list("action", flat=True))[-2:] == ["contact.changed", "contact.removed"]


def test_a_permission_added_ends_the_sessions_begun_without_it(
    lind: Account, limited: Any, browser: Browser
) -> None:
    user = limited("invoices")
    client = browser(user)
    contact = Contact.objects.get(user=user)
    for_both = Grant.of(["invoices", "cards"])
    contacts.change_contact(contact.pk, lind.customer, for_both, by=lind.user, **ACTING)
    assert client.get("/cards/")["Location"] == "/log-in/?next=/cards/"
    assert browser(user).get("/cards/").status_code == 200


class TestNobodyGivesMoreThanTheyHave:
    def test_the_form_does_not_offer_it_and_the_rule_does_not_take_it(
        self, lind: Account, limited: Any, browser: Browser
    ) -> None:
        user = limited("contacts", "invoices")
        client = browser(user)
        page = client.get("/team/invite/").content.decode()
        assert 'value="invoices"' in page and 'value="pay"' not in page and "is_owner" not in page
        form = {"email": "mallory@x.example", "permissions": ["pay"]}
        assert client.post("/team/invite/", form).status_code == 422
        form = {"email": "mallory@x.example", "permissions": ["invoices"], "is_owner": "on"}
        assert client.post("/team/invite/", form).status_code == 302
        assert Invitation.objects.get().grant == Grant.of(["invoices"])
        for grant in (Grant.of(["pay"]), Grant.owner()):
            with pytest.raises(Refused, match="more than you may yourself"):
                contacts.invite_contact(lind.customer, grant, email="x@x.example", name="", by=user, **ACTING)

    def test_one_changes_neither_oneself_nor_whoever_may_more(
        self, lind: Account, limited: Any, browser: Browser
    ) -> None:
        user = limited("contacts", "invoices")
        payer = limited("pay", email="payer@lind.example")
        client = browser(user)
        for target in (lind.user, payer, user):
            contact = Contact.objects.get(user=target)
            before = contact.grant
            assert client.post(f"/team/{contact.pk}/", {"permissions": ["invoices"]}).status_code == 403
            if target != user:
                client.post(f"/team/{contact.pk}/remove/")
            contact.refresh_from_db()
            assert contact.grant == before

    def test_what_somebody_promised_falls_with_what_they_may(self, lind: Account, limited: Any) -> None:
        user = limited("contacts", "invoices", "pay")
        kept, lost = (
            contacts.invite_contact(
                lind.customer, Grant.of([each]), email=f"{each}@x.example", name="", by=user, **ACTING
            )
            for each in ("invoices", "pay")
        )
        contact = Contact.objects.get(user=user)
        grant = Grant.of(["contacts", "invoices"])
        contacts.change_contact(contact.pk, lind.customer, grant, by=lind.user, **ACTING)
        assert [bool(Invitation.objects.get(pk=each.pk).withdrawn_at) for each in (kept, lost)] == [
            False,
            True,
        ]
        contacts.remove_contact(contact.pk, lind.customer, by=lind.user, **ACTING)
        assert Invitation.objects.get(pk=kept.pk).withdrawn_at

    def test_a_right_lost_meanwhile_counts_in_the_rule_too(self, lind: Account, limited: Any) -> None:
        user = limited("contacts")
        Contact.objects.filter(user=user).update(permissions=[])
        with pytest.raises(PermissionDenied):
            contacts.invite_contact(
                lind.customer, Grant.of(["contacts"]), email="x@x.example", name="", by=user, **ACTING
            )

    def test_another_customers_team_is_out_of_reach(self, lind: Account, page: Client) -> None:
        theirs = making.account("eve@other.example", name="Other", business_name="Other Ltd")
        contact = Contact.objects.get(user=theirs.user)
        invited = contacts.invite_contact(
            theirs.customer, Grant.owner(), email="x@other.example", name="", by=theirs.user, **ACTING
        )
        assert page.get(f"/team/{contact.pk}/").status_code == 404
        for path in (
            f"{contact.pk}/", f"{contact.pk}/remove/", f"invitations/{invited.pk}/resend/",
            f"invitations/{invited.pk}/withdraw/",
        ):  # fmt: skip
            assert page.post(f"/team/{path}", {"is_owner": "on"}).status_code == 404
        with pytest.raises(PermissionDenied):
            contacts.remove_contact(contact.pk, theirs.customer, by=lind.user, **ACTING)


def test_the_last_owner_stays(lind: Account, page: Client, limited: Any) -> None:
    mine = Contact.objects.get(user=lind.user)
    limited("contacts")
    assert "is the last owner" in text(page.post(f"/team/{mine.pk}/remove/", follow=True))
    staff = making.person("staff@alpha.example", User.Role.SUPPORT)
    changes: list[Callable[[], object]] = [
        lambda: contacts.remove_contact(mine.pk, lind.customer, by=staff, **ACTING),
        lambda: contacts.change_contact(mine.pk, lind.customer, Grant.of(ALL), by=staff, **ACTING),
    ]
    for change in changes:
        with pytest.raises(Refused, match="last owner"):
            change()
    second = add_contact(making.person("second@lind.example"), lind.customer, **ACTING)
    assert second.is_owner
    assert page.post(f"/team/{mine.pk}/remove/", follow=True).status_code == 403
    assert not Contact.objects.filter(pk=mine.pk).exists()


def test_the_first_contact_of_a_customer_is_its_owner(lind: Account) -> None:
    staff = making.person("staff@alpha.example", User.Role.SUPPORT)
    bare = making.customer("Bare", business_name="Bare Ltd")
    with pytest.raises(Refused, match="no owner yet"):
        contacts.invite_contact(
            bare, Grant.of(["invoices"]), email="x@bare.example", name="", by=staff, **ACTING
        )
    for grant, email in ((Grant.owner(), "a@bare.example"), (Grant.of(["pay"]), "b@bare.example")):
        contacts.invite_contact(bare, grant, email=email, name="", by=staff, **ACTING)
    with pytest.raises(Refused, match="invited already"):
        contacts.invite_contact(bare, Grant.owner(), email="A@bare.example", name="", by=staff, **ACTING)
    with pytest.raises(Refused, match="acts for"):
        contacts.invite_contact(
            lind.customer, Grant.owner(), email="NORA@lind.example", name="", by=lind.user, **ACTING
        )


def test_invited_accepted_limited(lind: Account, page: Client, browser: Browser, monkeypatch: Any) -> None:
    """From the form to the mail to the portal: the invited person may do what was ticked."""
    form = {"name": "Kim Oh", "email": "kim@oh.example", "permissions": ["pay", "services"]}
    assert "on its way to kim@oh.example" in text(page.post("/team/invite/", form, follow=True))
    invited = Invitation.objects.get()
    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append(mail))
    jobs.mail_invitation(invitation_id=str(invited.pk))
    assert "Nora Lind invites you to act for Lind & Söhne GmbH" in sent[0].text
    newcomer = browser()
    link = f"/invitation/{inviting.token_of(invited)}/"
    assert newcomer.post(link, {"name": "Kim Oh", "password": making.PASSWORD}).status_code == 302
    assert Contact.objects.get(user__email="kim@oh.example").permissions == ["invoices", "pay", "services"]
    assert newcomer.get("/invoices/").status_code == 200
    assert newcomer.get("/cards/").status_code == 403


def test_an_invitation_adds_to_what_one_may_already(lind: Account, limited: Any) -> None:
    user = limited("invoices")
    add_contact(user, lind.customer, grant=Grant.of(["cards"]), **ACTING)
    assert Contact.objects.get(user=user).permissions == ["invoices", "cards"]


def test_a_form_without_a_tick_is_sent_back(lind: Account, page: Client) -> None:
    for form in ({"email": "x@x.example"}, {"email": "x", "is_owner": "on"},
                 {"email": "x@x.example", "permissions": ["everything"]}):  # fmt: skip
        assert page.post("/team/invite/", form).status_code == 422
    assert not Invitation.objects.exists()


def test_each_customer_has_its_own_permissions(lind: Account, limited: Any, browser: Browser) -> None:
    user = limited("invoices")
    other = making.customer("Zeta", business_name="Zeta Apps")
    add_contact(user, other, grant=Grant.of(["details"]), **ACTING)
    client = browser(user)
    assert [client.get(path).status_code for path in ("/invoices/", "/details/")] == [200, 403]
    client.post("/switch/", {"customer": str(other.pk)})
    assert [client.get(path).status_code for path in ("/invoices/", "/details/")] == [403, 200]


def test_the_database_takes_no_permission_that_there_is_not(lind: Account) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Contact.objects.update(permissions=["everything"])


def test_paying_brings_seeing_along_and_an_owner_has_all() -> None:
    assert Grant.of(["pay"]).permissions == {Permission.PAY, Permission.INVOICES}
    assert Grant.of([], is_owner=True).permissions == ALL
    assert Grant.of(["nonsense"]).permissions == frozenset()
    assert not Grant.of(ALL).covers(Grant.owner()) and Grant.owner().covers(Grant.owner())


class TestAClosedAccount:
    """Its invoices can be seen and paid, its cards forgotten, its data asked for; nothing new begins."""

    @pytest.fixture(autouse=True)
    def closed(self, lind: Account, others: dict[str, Any]) -> dict[str, Any]:
        Customer.objects.update(status=Customer.Status.CLOSED)
        return others

    def test_what_is_owed_can_be_seen_and_paid(self, closed: dict[str, Any], page: Client) -> None:
        assert "This account is closed" in text(page.get("/"))
        for path in ("/invoices/", "/invoices/{invoice}/", "/invoices/{invoice}/pdf/",
                     "/invoices/{invoice}/pay/", "/cards/", "/details/", "/team/"):  # fmt: skip
            assert page.get(path.format(**closed)).status_code == 200, path
        assert page.post("/cards/{card}/remove/".format(**closed)).status_code == 302

    def test_nothing_new_begins(self, closed: dict[str, Any], page: Client) -> None:
        for path in ("/cards/add/", "/cards/{card}/default/", "/autopay/", "/details/", "/team/invite/",
                     "/team/{contact}/", "/team/{contact}/remove/"):  # fmt: skip
            answer = page.post(path.format(**closed), {"on": "1"})
            assert answer.status_code == 403, path
            assert "is closed" in text(answer)


def test_in_a_suspended_workspace_customers_see_and_pay_and_change_nothing(
    lind: Account, others: dict[str, Any], page: Client
) -> None:
    from tenants.context import current_tenant, enter_public
    from tenants.models import Tenant

    slug = current_tenant().slug
    with enter_public():
        Tenant.objects.filter(slug=slug).update(status="suspended")
    for path in ("/", "/invoices/{invoice}/", "/invoices/{invoice}/pay/", "/cards/"):
        assert page.get(path.format(**others)).status_code == 200
    for path in ("/autopay/", "/details/", "/team/invite/"):
        answer = page.post(path, {"on": "1"})
        assert answer.status_code == 403 and "takes no changes" in text(answer)


def test_staff_see_and_change_contacts_on_the_customers_page(lind: Account, others: dict[str, Any]) -> None:
    staff = making.person("support@alpha.example", User.Role.SUPPORT)
    client = Client(HTTP_HOST="alpha.localhost")
    logging_in.enter(client, staff)
    home = f"/manage/customers/{lind.customer.pk}/"
    page = client.get(home)
    assert page.status_code == 200 and "other@lind.example" in text(page) and "jo@lind.example" in text(page)
    path = f"{home}contacts/{others['contact']}/"
    assert client.get(path).status_code == 200
    assert client.post(path, {"permissions": ["invoices"]}).status_code == 302
    assert Contact.objects.get(pk=others["contact"]).permissions == ["invoices"]
    for verb in ("resend", "withdraw"):
        assert client.post(f"{home}invitations/{others['invitation']}/{verb}/").status_code == 302
    assert client.post(f"{path}remove/").status_code == 302
    assert not Contact.objects.filter(pk=others["contact"]).exists()
    theirs = making.account("eve@other.example", name="Other", business_name="Other Ltd")
    foreign = Contact.objects.get(user=theirs.user)
    assert client.post(f"{home}contacts/{foreign.pk}/remove/").status_code == 404
