"""Products and prices."""

import pytest
from django.test import Client

from billing.models import Price, Product, Subscription

PRODUCT = {"name": "Web hosting M", "code": "", "description": "Fast.", "tax_class": "standard"}
PRICE = {"currency": "EUR", "cycle": "monthly", "amount": "9.95", "setup_fee": "", "tax_inclusive": "no"}


def test_a_product_is_added_and_asks_for_its_price(staff: Client) -> None:
    answer = staff.post("/manage/products/new/", PRODUCT, follow=True)
    product = Product.objects.get()
    assert (product.name, product.code) == ("Web hosting M", "web-hosting-m")
    assert answer.redirect_chain == [(f"/manage/products/{product.pk}/prices/new/", 302)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("code", "no spaces"),
        ("code", "ümlaut"),
        ("tax_class", "none"),
        ("description", "x" * 2001),
    ],
)
def test_a_product_with_a_mistake_is_not_added(staff: Client, field: str, value: str) -> None:
    answer = staff.post("/manage/products/new/", PRODUCT | {field: value})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Product.objects.exists()


def test_a_code_that_is_taken_is_told(staff: Client, price: Price) -> None:
    answer = staff.post("/manage/products/new/", PRODUCT | {"code": "hosting"})
    assert answer.status_code == 422
    assert "has the code “hosting” already" in answer.content.decode()


def test_a_product_is_changed_and_retired(staff: Client, price: Price) -> None:
    path = f"/manage/products/{price.product_id}/"
    answer = staff.post(f"{path}change/", PRODUCT | {"code": "hosting"}, follow=True)
    product = Product.objects.get()
    assert (product.name, product.is_active) == ("Web hosting M", False)
    assert "Retired" in answer.content.decode()


@pytest.mark.parametrize(
    ("currency", "typed", "minor"), [("EUR", "9.95", 995), ("JPY", "1492", 1492), ("KWD", "1.23", 1230)]
)
def test_prices_count_in_their_currencys_own_decimals(
    staff: Client, price: Price, currency: str, typed: str, minor: int
) -> None:
    path = f"/manage/products/{price.product_id}/prices/new/"
    assert staff.post(path, PRICE | {"currency": currency, "amount": typed}).status_code == 302
    assert Price.objects.exclude(pk=price.pk).get().amount == minor


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", ""), ("amount", "9,95"), ("amount", "-1"), ("amount", "9.999"), ("amount", "1e5"),
        ("amount", "NaN"),
        ("amount", "99999999999999999999"), ("setup_fee", "x"), ("currency", "XXX"), ("cycle", "daily"),
        ("tax_inclusive", "maybe"),
    ],
)  # fmt: skip
def test_a_price_with_a_mistake_is_not_added(staff: Client, price: Price, field: str, value: str) -> None:
    answer = staff.post(f"/manage/products/{price.product_id}/prices/new/", PRICE | {field: value})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert Price.objects.count() == 1


def test_the_same_price_twice_is_refused(staff: Client, price: Price) -> None:
    same = PRICE | {"amount": "10.00", "setup_fee": "5"}
    answer = staff.post(f"/manage/products/{price.product_id}/prices/new/", same)
    assert answer.status_code == 422
    assert "exists already" in answer.content.decode()


def test_a_price_is_retired_and_offered_again(
    staff: Client, price: Price, subscription: Subscription
) -> None:
    page = staff.post(f"/manage/prices/{price.pk}/offer/", {"offered": "no"}, follow=True).content.decode()
    assert "Offer again" in page
    price.refresh_from_db()
    assert not price.is_active
    assert (
        "No price to subscribe to"
        in staff.get(f"/manage/subscriptions/new/?customer={subscription.customer_id}").content.decode()
    )
    staff.post(f"/manage/prices/{price.pk}/offer/", {"offered": "yes"})
    price.refresh_from_db()
    assert price.is_active
