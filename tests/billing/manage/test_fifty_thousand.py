"""Lists at 50,000 rows: as many queries as at one, and none that reads through a table to show a page."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Contact, Customer
from accounts.people import create_user
from audit.actors import Actor
from billing import listing, paging
from billing.models import Invoice, Subscription
from tenants.context import enter
from tests.logging_in import enter as log_in
from tests.twins import make

pytestmark = [pytest.mark.xdist_group("fifty thousand"), pytest.mark.timeout(240)]
MANY = 50_000
# One invoice in 50 is open: a page of them lies within the newest 1,300.
PAGE_READS = 2_000
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
# One customer has half of all invoices; the rest have one each. Its row is the first, an open
# and overdue invoice too; its id and name lie in the middle, off the pages that are looked at.
BIG_AT = 25_010
BIG = "7fffffff-0000-7000-8000-000000000000"
BIG_TABLES = ("accounts_customer", "billing_invoice", "billing_subscription")
FILL = f"""
INSERT INTO accounts_customer (id, name, business_name, email, phone, address_line1, address_line2, city,
    state, postal_code, country, tax_id, currency, locale, status, created_at)
SELECT CASE n WHEN %(big)s THEN '{BIG}' ELSE gen_random_uuid() END, 'Customer ' || lpad(n::text, 6, '0'), '',
    'c' || n || '@many.example', '', '', '', '', '', '', 'DE', '', 'EUR', 'en', 'active', %(now)s
FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO billing_subscription (id, customer_id, price_id, quantity, description, status, started_on,
    anchored_on, next_index, next_due_on, setup_billed, paused_reason, created_at)
SELECT gen_random_uuid(), c.id, p.id, 1, '', 'active', '2026-01-01', '2026-01-01', 11, '2026-12-01', true, '',
    %(now)s
FROM accounts_customer c, billing_price p
WHERE c.name >= 'Customer ' || lpad(%(first)s::text, 6, '0')
    AND c.name <= 'Customer ' || lpad(%(last)s::text, 6, '0');
INSERT INTO billing_invoice (id, number, status, customer_id, currency, locale, subtotal, tax, total,
    amount_paid, tax_summary, seller, buyer, note, issued_on, due_on, created_at, issued_at, paid_at,
    collection_paused)
SELECT gen_random_uuid(), 'M-' || lpad(n::text, 6, '0'), CASE WHEN n %% 50 = 10 THEN 'open' ELSE 'paid' END,
    CASE WHEN n %% 2 = 0 THEN '{BIG}' ELSE c.id END, 'EUR', 'en', 100, 0, 100,
    CASE WHEN n %% 50 = 10 THEN 0 ELSE 100 END, '[]', '{{}}', '{{}}', '', %(now)s::date - n %% 700,
    %(now)s::date - n %% 700 + 14, %(now)s::timestamptz - n * interval '1 minute', %(now)s,
    CASE WHEN n %% 50 = 10 THEN NULL ELSE %(now)s::timestamptz END, false
FROM generate_series(%(first)s, %(last)s) n
    JOIN accounts_customer c ON c.name = 'Customer ' || lpad(n::text, 6, '0')
"""


@dataclass
class Many:
    """A committed tenant at 50,000 rows, its people's browsers, and what each page cost at one row."""

    tenant: Any
    staff: Client
    payer: Client
    at_one: dict[str, int]

    def queries(self, path: str) -> list[str]:
        """The statements that a page makes."""
        browser = self.staff if path.startswith("/manage/") else self.payer
        with enter(self.tenant), CaptureQueriesContext(connection) as captured:
            answer = browser.get(path)
        assert answer.status_code == 200, path
        assert answer.context["page"].rows, path
        return [each["sql"] for each in captured]


PAGES = [
    "/manage/customers/", "/manage/customers/?sort=newest", "/manage/customers/?status=active",
    "/manage/subscriptions/", "/manage/subscriptions/?status=active", "/manage/subscriptions/?cycle=monthly",
    "/manage/invoices/", "/manage/invoices/?status=open", "/manage/invoices/?status=overdue",
    f"/manage/invoices/?customer={BIG}", "/invoices/", "/invoices/?status=open",
]  # fmt: skip
SEARCHES = [
    "/manage/customers/?q=customer", "/manage/customers/?q=c25010@many.example",
    "/manage/subscriptions/?q=hosting",
    "/manage/invoices/?q=M-0250", "/manage/invoices/?q=c25010@many.example",
    "/invoices/?q=M-0250",
]  # fmt: skip


@pytest.fixture(scope="module")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[Many]:
    with django_db_blocker.unblock():
        tenant = make("fifty-thousand", name="Many")
        found = _people(tenant)
        found.at_one = {path: len(found.queries(path)) for path in PAGES + SEARCHES}
        fill(tenant, first=1, last=BIG_AT - 1)
        fill(tenant, first=BIG_AT + 1, last=MANY)
        with enter(tenant):
            assert min(each.objects.count() for each in (Customer, Subscription, Invoice)) == MANY
        connection.close()
    yield found
    with django_db_blocker.unblock():
        connection.close()


def _people(tenant: Any) -> Many:
    """A price to subscribe to, one of the staff, and the big customer's contact, both logged in."""
    from billing.models import Price, Product

    by: dict[str, Any] = {"password": None, "actor": Actor.system("tests"), "now": NOW}
    with enter(tenant):
        product = Product.objects.create(code="hosting", name="Hosting", created_at=NOW)
        Price.objects.create(product=product, currency="EUR", cycle="monthly", amount=100, created_at=NOW)
        browsers = []
        for role in ("billing", "contact"):
            user = create_user(email=f"{role}@many.example", name=role, role=role, **by)
            browser = Client(headers={"host": f"{tenant.slug}.localhost"})
            log_in(browser, user)
            browsers.append(browser)
        fill(tenant, first=BIG_AT, last=BIG_AT)
        Contact.objects.create(user=user, customer_id=BIG, is_owner=True, created_at=NOW)
    staff, payer = browsers
    return Many(tenant, staff, payer, at_one={})


def fill(tenant: Any, *, first: int, last: int) -> None:
    """Rows `first` to `last` of everything, written by the database itself; then what autovacuum does."""
    name = connection.settings_dict["NAME"]
    url = urlsplit(os.environ["DATABASE_ADMIN_URL"])._replace(path=f"/{name}").geturl()
    values = {"first": str(first), "last": str(last), "big": str(BIG_AT), "now": f"'{NOW.isoformat()}'"}
    with psycopg.connect(url, autocommit=True) as admin:
        # Without the guards: these invoices have no lines, which no list reads.
        admin.execute("SET session_replication_role = replica")
        admin.execute(f"SET search_path = {tenant.schema_name}".encode())
        admin.execute((FILL % values).encode())
        admin.execute(f"ANALYZE {', '.join(BIG_TABLES)}".encode())


def rows_read(tenant: Any, statement: str) -> int:
    """How many rows of the big tables a statement takes in hand, by the database's own count."""
    with enter(tenant), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}".replace("%", "%%"), [])
        told = cursor.fetchone()[0]
    return _read((told if isinstance(told, list) else json.loads(told))[0]["Plan"])


def _read(node: dict[str, Any]) -> int:
    own = 0
    if node.get("Relation Name") in BIG_TABLES:
        removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter")
        own = int((node["Actual Rows"] + sum(node.get(name, 0) for name in removed)) * node["Actual Loops"])
    return own + sum(_read(each) for each in node.get("Plans", []))


def last_page(many: Many, path: str) -> str:
    """The address of the last page of the list: after the row that has just so many behind it."""
    model, order = _list(path)
    with enter(many.tenant):
        before_last = model._default_manager.order_by(*order.names(reverse=True))[paging.SIZE]
    return f"{path}{'&' if '?' in path else '?'}after={paging._encoded(before_last, order)}"


def _list(path: str) -> tuple[type[Model], paging.Order]:
    if "customers" in path:
        return Customer, listing.NEWEST if "newest" in path else listing.BY_NAME
    return (Subscription, listing.NEWEST) if "subscriptions" in path else (Invoice, listing.INVOICES_NEWEST)


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("path", PAGES)
def test_a_list_costs_the_same_queries_at_50000_rows_and_reads_a_page_of_them(many: Many, path: str) -> None:
    statements = many.queries(path)
    assert len(statements) == many.at_one[path]
    _reads_little(many, path, statements)


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("path", SEARCHES)
def test_a_search_costs_the_same_queries_at_50000_rows(many: Many, path: str) -> None:
    assert len(many.queries(path)) == many.at_one[path]


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    "path",
    ["/manage/customers/", "/manage/customers/?sort=newest", "/manage/subscriptions/", "/manage/invoices/"],
)
def test_the_last_page_costs_no_more_than_the_first(many: Many, path: str) -> None:
    last = last_page(many, path)
    statements = many.queries(last)
    assert len(statements) == many.at_one[path]
    _reads_little(many, last, statements)
    page = many.staff.get(last).context["page"]
    assert (len(page.rows), page.next, bool(page.previous)) == (paging.SIZE, "", True)


@pytest.mark.usefixtures("committed")
def test_a_customers_own_list_reads_nothing_of_the_others(many: Many) -> None:
    """Its counts by state go through its own invoices, found by index: half of all, and no others."""
    most = max(
        rows_read(many.tenant, each) for each in many.queries("/invoices/") if "billing_invoice" in each
    )
    with enter(many.tenant):
        own = Invoice.objects.filter(customer_id=BIG).count()
    assert own == MANY // 2
    assert most <= own


@pytest.mark.usefixtures("committed")
def test_a_list_too_long_to_be_summed_for_a_page_says_how_to_have_its_sum(many: Many) -> None:
    whole = many.staff.get("/manage/invoices/").content.decode()
    assert "More than 5,000 invoices. Narrow the list to see what they come to." in whole
    narrowed = many.staff.get("/manage/invoices/?status=open").content.decode()
    assert "<strong>€1,000.00</strong> on 1,000 invoices, €1,000.00 unpaid" in narrowed
    assert "More than" not in narrowed


def _reads_little(many: Many, path: str, statements: list[str]) -> None:
    asked = [each for each in statements if each.startswith("SELECT") and any(t in each for t in BIG_TABLES)]
    assert asked
    for statement in asked:
        if path.startswith("/invoices/") and "LIMIT" not in statement:
            continue  # what the tabs count: see the customer's own list
        bound = listing.SUMMED + 1 if f"LIMIT {listing.SUMMED + 1}" in statement else PAGE_READS
        assert rows_read(many.tenant, statement) <= bound, statement
