"""What people may demand: D1, D2, D4 to D8."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils.html import escape

from accounts.models import Customer, User
from accounts.privacy_scope import of_user
from billing import payments
from privacy import consenting, exporting, inventory
from privacy.marketing import Offer, send_marketing
from privacy.models import Consent, ExportFile
from privacy.periods import PERIODS
from privacy.policy_tables import BASES, PURPOSES, RECIPIENTS
from tenants import clock
from tenants.context import current_tenant, enter
from tenants.models import Tenant
from tests import logging_in
from tests.billing.portal import making
from tests.privacy.copies import Copy, loaded
from tests.wall.furnishing import furnish

OFFER = Offer("Autumn", "Cheaper hosting.")


@pytest.fixture
def account(tenant: Any) -> making.Account:
    return making.account()


@pytest.fixture
def client(account: making.Account) -> Client:
    found = Client(HTTP_HOST="alpha.localhost")
    logging_in.enter(found, account.user)
    return found


def test_d1_everything_that_is_held_is_seen_but_for_secrets_and_others(tenant: Any) -> None:
    found = furnish("Qanary")
    client = Client(HTTP_HOST="alpha.localhost")
    logging_in.enter(client, User.objects.get(pk=str(found["1"].user_id)), methods={"password", "totp"})
    overview = client.get("/account/privacy/").content.decode()
    links = [part.partition('"')[0] for part in overview.split('href="') if "/privacy/held/" in part]
    kinds = {link.rstrip("/").rpartition("/")[2] for link in links}
    assert kinds >= {
        "accounts.User", "accounts.Customer", "accounts.Session", "accounts.Passkey", "accounts.Contact",
        "billing.Invoice", "billing.Payment", "billing.PaymentMethod", "audit.AuditEvent", "privacy.Consent",
    }  # fmt: skip
    pages = {link: client.get(link).content.decode() for link in links}
    text = "\n".join(pages.values())
    for canary in (
        "Qanary1@wall.example",
        "Qanary1 business",
        "Qanary1 note",
        "Qanary1 agent",
        "Qanary1 key",
    ):
        assert canary in text
    assert "Qanary2" not in text
    for link, page in pages.items():
        holding = inventory.holding_of(link.rstrip("/").rpartition("/")[2])
        for data in holding.personal.values():
            words = [PERIODS[data.retention].words, BASES[data.basis]]
            words += [PURPOSES[each][0] for each in data.purposes]
            words += [RECIPIENTS[each][0] for each in data.recipients] + ["Amazon Web Services"]
            assert [each for each in words if escape(each) not in page] == [], link
    log_in = next(page for link, page in pages.items() if link.endswith("accounts.User/"))
    assert "kept secret, for your protection" in log_in and "argon2" not in text
    other = found["2"].ids["customer_id"]
    assert client.get(f"/account/privacy/held/customer/{other}/accounts.Customer/").status_code == 404


def test_d2_what_is_wrong_is_mended_by_oneself(account: making.Account, client: Client, tenant: Any) -> None:
    page = client.get("/account/privacy/correct/").content.decode()
    for path in ("/account/email/", "/account/security/", "/details/", "/team/", "/cards/"):
        assert f'href="{path}"' in page
        assert client.get(path).status_code == 200
    assert client.post("/account/privacy/correct/", {"name": " Nora  Lund "}).status_code == 302
    assert client.post("/account/privacy/correct/", {"name": " "}).status_code == 422
    assert User.objects.get(pk=account.user.pk).name == "Nora Lund"
    details = client.get("/details/").context["form"].initial | {"city": "Lübeck"}
    assert client.post("/details/", {key: value or "" for key, value in details.items()}).status_code == 302
    assert Customer.objects.get(pk=account.customer.pk).city == "Lübeck"


def test_d4_a_copy_is_taken_along_as_csv_and_as_sql_that_an_empty_database_loads(
    fresh_tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = making.account(city="O'Hare\\n")
    with transaction.atomic():
        making.invoice(account.customer, due=making.TODAY)
    client = Client(HTTP_HOST=f"{fresh_tenant.slug}.localhost")
    logging_in.enter(client, account.user)
    client.post("/account/privacy/copies/", {"whose": f"customer:{account.customer.pk}"})
    with enter(fresh_tenant):
        export = ExportFile.objects.get()
        exporting.make(export.pk, actor=making.ACTOR, now=clock.now())
    answer: Any = client.get(f"/account/privacy/copies/{export.pk}/fetch/")
    copy = Copy.of(b"".join(answer.streaming_content))
    copy.check()
    assert copy.rows("accounts_customer")[0]["city"] == "O'Hare\\n"
    assert copy.text("csv/billing_invoice.csv").count("\r\n") == 2
    with loaded(copy) as database:
        assert database.execute("SELECT city FROM accounts_customer").fetchall() == [("O'Hare\\n",)]
        joined = "billing_invoice i JOIN billing_invoiceline l ON l.invoice_id = i.id"
        assert len(database.execute(f"SELECT i.number, l.gross FROM {joined}").fetchall()) == 1
    assert io.StringIO(copy.text("README.txt")).readline().startswith("A copy of data")


def test_d5_whoever_objects_gets_no_marketing(
    account: making.Account, client: Client, mailoutbox: list[Any]
) -> None:
    subject = of_user(account.user)
    client.post("/account/privacy/news/", {"news": "on"})
    assert send_marketing(OFFER, subject)
    client.post("/account/privacy/news/", {"news": "off"})
    assert not send_marketing(OFFER, subject)
    assert len(mailoutbox) == 1


def test_d6_processing_is_paused_while_a_dispute_is_resolved_and_goes_on_after(
    account: making.Account, client: Client, mailoutbox: list[Any]
) -> None:
    """Seen by what it does: no news, no card charged by itself, no new period billed."""
    whose = f"customer:{account.customer.pk}"
    making.card(account.customer)
    making.autopay(account.customer)
    with transaction.atomic():
        invoice = making.invoice(account.customer, due=making.TODAY)
    making.subscription(account.customer, making.price(), making.TODAY)
    client.post("/account/privacy/news/", {"news": "on"})

    def happens() -> dict[str, bool]:
        return {
            "news": send_marketing(OFFER, of_user(account.user)),
            "a card charged": payments.will_collect(invoice, now=making.NOW),
            "a next run": Tenant.objects.get(pk=current_tenant().pk).next_run_at is not None,
        }

    assert client.post("/account/privacy/pause/", {"whose": whose, "reason": ""}).status_code == 422
    assert client.post("/account/privacy/pause/", {"whose": whose, "reason": "wrong"}).status_code == 302
    page = client.get("/account/privacy/pause/").content.decode()
    assert "wrong" in page and "Go on with processing" in page
    assert "figures of revenue" in page and "A pause for your log-in alone does not stop billing" in page
    assert happens() == {"news": False, "a card charged": False, "a next run": False}
    assert client.get("/account/privacy/copies/").status_code == 200
    assert client.post("/account/privacy/pause/lift/", {"whose": whose}).status_code == 302
    assert happens() == {"news": True, "a card charged": True, "a next run": True}
    other = making.customer("Other", email="x@y.example")
    lifted = client.post("/account/privacy/pause/lift/", {"whose": f"customer:{other.pk}"})
    assert lifted.status_code == 404


def test_d7_consent_is_withdrawn_as_easily_as_given_at_once_and_what_was_before_stays(
    account: making.Account, client: Client, mailoutbox: list[Any]
) -> None:
    subject = of_user(account.user)
    given = client.post("/account/privacy/news/", {"news": "on"})
    assert given.status_code == 302 and send_marketing(OFFER, subject)
    withdrawn = client.post("/account/privacy/news/", {"news": "off"})
    assert withdrawn.status_code == 302 and not send_marketing(OFFER, subject)
    assert list(Consent.objects.order_by("at").values_list("given", flat=True)) == [True, False]
    page = client.get("/account/privacy/news/").content.decode()
    assert page.count("You were shown:") == 2 and "may mail me news and offers" in page
    assert not consenting.may_market(subject)


@pytest.mark.parametrize(
    ("country", "name"),
    [("DE", "Bundesbeauftragte"), ("PL", "Urząd Ochrony Danych"), ("US", "California")],
)
def test_d8_people_are_told_of_the_authority_of_their_country(
    account: making.Account, client: Client, country: str, name: str
) -> None:
    Customer.objects.filter(pk=account.customer.pk).update(country=country)
    page = client.get("/account/privacy/complain/").content.decode()
    assert name in page and 'href="https://' in page


def test_d1_the_pages_are_for_everybody_who_logs_in(tenant: Any, browser: Callable[..., Client]) -> None:
    """Staff of the tenant see what is held of them; nobody without a log-in sees anything."""
    staff = making.person("s@lind.example", "support")
    client = browser()
    logging_in.enter(client, staff)
    names = ("", "correct/", "copies/", "news/", "pause/", "complain/")
    assert [client.get(f"/account/privacy/{name}").status_code for name in names] == [200] * 6
    assert {browser().get(f"/account/privacy/{name}").status_code for name in names} == {302}
