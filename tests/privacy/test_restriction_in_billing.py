"""While a customer's data may be kept and no more: nothing is charged by itself, nothing new is billed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import Customer
from billing import due, figures, payments, planning
from billing.collecting import is_wanted
from billing.models import Invoice, Payment
from privacy import restricting
from privacy.restricting import Processing
from privacy.subjects import Subject
from tenants.context import enter
from tests import logging_in
from tests.billing.manage import rows
from tests.billing.portal import making


def subject_of(customer: Customer) -> Subject:
    return Subject("customer", str(customer.pk))


def pause(customer: Customer) -> None:
    restricting.restrict(subject_of(customer), reason="wrong invoice", actor=making.ACTOR, now=making.NOW)


def resume(customer: Customer) -> None:
    restricting.lift(subject_of(customer), because="mended", actor=making.ACTOR, now=making.NOW)


@pytest.fixture
def two(tenant: Any) -> tuple[making.Account, making.Account]:
    accounts = making.account(), making.account("lu@other.example", name="Lu")
    for account in accounts:
        making.card(account.customer)
        making.autopay(account.customer)
    return accounts


def test_no_card_is_charged_by_itself_and_the_owner_of_it_may_still_pay(
    two: tuple[making.Account, making.Account],
) -> None:
    held, free = (making.invoice(each.customer, due=making.TODAY) for each in two)
    assert payments.will_collect(held, now=making.NOW)
    pause(two[0].customer)
    assert not payments.will_collect(held, now=making.NOW)
    assert payments.will_collect(free, now=making.NOW)
    about = {"invoice": held, "customer": two[0].customer, "amount": held.total, "currency": "EUR"}
    by_itself = Payment(method="autopay", payment_method=two[0].customer.payment_methods.get(), **about)
    by_hand = Payment(method="card", **about)
    assert not is_wanted(by_itself) and is_wanted(by_hand)  # also where its row was there before
    resume(two[0].customer)
    assert payments.will_collect(held, now=making.NOW) and is_wanted(by_itself)


def test_new_periods_wait_and_the_plan_knows(two: tuple[making.Account, making.Account]) -> None:
    price, today = making.price(), making.TODAY
    making.subscription(two[0].customer, price, today)
    making.subscription(two[1].customer, price, today + timedelta(days=60))
    both = {account.customer.pk for account in two}
    until = today + timedelta(days=90)

    def found() -> set[Any]:
        locked, _ = due.lock(sorted(both), until, wait=True)
        return (
            {each for portion in due.chunks(until) for each in portion} & both & {each.id for each in locked}
        )

    assert found() == both
    first = planning.replan(now=making.NOW)
    assert first == making.NOW
    pause(two[0].customer)
    assert found() == {two[1].customer.pk}
    later = planning.replan(now=making.NOW)
    assert later is not None and later > making.NOW
    resume(two[0].customer)
    assert found() == both and planning.replan(now=making.NOW) == making.NOW


def test_the_many_are_asked_as_the_one(two: tuple[making.Account, making.Account]) -> None:
    """The condition for many rows, by query and by hand, is the same as `allows`, for each processing."""
    from django.db import connection
    from django.db.models import OuterRef

    pause(two[0].customer)
    for processing in Processing:
        asked = restricting.stops(processing, "customer", OuterRef("pk"))
        stopped = set(Customer.objects.filter(asked).values_list("pk", flat=True))
        with connection.cursor() as cursor:
            condition = restricting.stops_sql(processing, "customer", "c.id")
            cursor.execute(f"SELECT c.id FROM accounts_customer c WHERE {condition}")
            by_hand = {row[0] for row in cursor.fetchall()}
        one_by_one = {
            each.customer.pk for each in two if not restricting.allows(subject_of(each.customer), processing)
        }
        assert stopped == by_hand == one_by_one == {two[0].customer.pk}, processing


def test_every_processing_that_can_be_stopped_is_asked_for_somewhere() -> None:
    """Or a page would promise what nothing does."""
    root = Path(settings.BASE_DIR)
    code = "".join(
        file.read_text()
        for app in ("privacy", "accounts", "billing", "operations", "proecommerce")
        for file in (root / app).rglob("*.py")
    )
    for processing in Processing:
        assert f"Processing.{processing.name}" in code, processing


def test_revenue_is_counted_without_whoever_paused_it_and_what_is_owed_with_them(
    two: tuple[making.Account, making.Account], tenant: Any
) -> None:
    for account in two:
        rows.issued(account.customer, actor=making.ACTOR, now=making.NOW, amount=10_000)

    def month() -> figures.Month:
        return figures.by_month(today=making.TODAY)["EUR"][-1]

    client = Client(HTTP_HOST="alpha.localhost")
    logging_in.enter(client, making.person("o@lind.example", "owner"))
    whole, said = month(), "without customers whose processing is paused"
    assert said not in client.get("/manage/").content.decode()
    pause(two[0].customer)
    assert month().revenue.minor == whole.revenue.minor - 10_000
    assert month().outstanding == whole.outstanding
    assert said in client.get("/manage/").content.decode()
    resume(two[0].customer)
    assert month() == whole


def test_staff_see_why_nothing_is_billed(two: tuple[making.Account, making.Account], tenant: Any) -> None:
    pause(two[0].customer)
    client = Client(HTTP_HOST="alpha.localhost")
    logging_in.enter(client, making.person("o@lind.example", "owner"))
    page = client.get(f"/manage/customers/{two[0].customer.pk}/").content.decode()
    assert "restricted the processing" in page and "wrong invoice" in page
    assert (
        "restricted the processing"
        not in client.get(f"/manage/customers/{two[1].customer.pk}/").content.decode()
    )
    with enter(tenant):
        assert Invoice.objects.filter(customer=two[0].customer).count() == 0
