"""The products and prices that imported subscriptions are on: found, or made."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from audit.actions import Action
from audit.recording import Note
from billing.importing import bulk
from billing.models import Price, Product
from billing.periods import Cycle

_Key = tuple[str, Cycle, str, int]


class Offer(NamedTuple):
    """What a row says of its product and price; `name` is for a product that is not known yet."""

    code: str
    name: str
    cycle: Cycle
    currency: str
    amount: int

    @property
    def key(self) -> _Key:
        return self.code, self.cycle, self.currency, self.amount


class Offers(NamedTuple):
    """What is sold, by the code of the product and by the price point; prices carry their product.

    `notes`: what is to be recorded of those that were made.
    """

    products: Mapping[str, Product]
    prices: Mapping[_Key, Price]
    notes: Sequence[Note]


def find_or_make(offers: Iterable[Offer], *, now: datetime) -> Offers:
    """Find each offer's price, plain of setup fee and included tax, and make what is missing.

    Needs an open transaction. Of several names for a new product the first is taken.
    """
    wanted = list(offers)
    codes = {offer.code for offer in wanted}
    products = {product.code: product for product in Product.objects.filter(code__in=codes)}
    found = Price.objects.filter(product__code__in=codes, setup_fee=0, tax_inclusive=False)
    prices: dict[_Key, Price] = {
        (price.product.code, Cycle(price.cycle), price.currency, price.amount): price
        for price in found.select_related("product")
    }
    new_products: list[Product] = []
    new_prices: list[Price] = []
    for offer in wanted:
        product = products.get(offer.code)
        if product is None:
            product = products[offer.code] = Product(code=offer.code, name=offer.name, created_at=now)
            new_products.append(product)
        if offer.key not in prices:
            prices[offer.key] = _price(product, offer, now=now)
            new_prices.append(prices[offer.key])
    bulk.insert(Product, new_products)
    bulk.insert(Price, new_prices)
    return Offers(products, prices, _notes(new_products, new_prices))


def _price(product: Product, offer: Offer, *, now: datetime) -> Price:
    return Price(
        product=product,
        currency=offer.currency,
        cycle=offer.cycle.value,
        amount=offer.amount,
        created_at=now,
    )


def _notes(products: Sequence[Product], prices: Sequence[Price]) -> list[Note]:
    made = [
        Note(Action.PRODUCT_CREATED, "product", str(product.pk), {"after": _shown_product(product)})
        for product in products
    ]
    priced = [
        Note(Action.PRICE_CREATED, "price", str(price.pk), {"after": _shown_price(price)}) for price in prices
    ]
    return [*made, *priced]


def _shown_product(product: Product) -> dict[str, str]:
    return {"code": product.code, "name": product.name}


def _shown_price(price: Price) -> dict[str, str | int]:
    return {
        "product": price.product.code,
        "currency": price.currency,
        "cycle": price.cycle,
        "amount": price.amount,
    }
