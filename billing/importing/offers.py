"""The products and prices that imported subscriptions are on: found, or made."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing.models import Price, Product
from billing.periods import Cycle


class Offer(NamedTuple):
    """What a row says of its product and price; `name` is for a product that is not known yet."""

    code: str
    name: str
    cycle: Cycle
    currency: str
    amount: int


class Offers:
    """Finds each offer's price, plain of setup fee and included tax, and makes what is missing."""

    def __init__(self, *, actor: Actor, now: datetime) -> None:
        self._actor, self._now = actor, now
        self._products: dict[str, Product] = {}
        self._prices: dict[tuple[str, str, str, int], Price] = {}

    def prices(self, offers: Sequence[Offer]) -> dict[Offer, Price]:
        """Return the price of each offer. Needs an open transaction."""
        self._load({offer.code for offer in offers}.difference(self._products))
        products: list[Product] = []
        prices: list[Price] = []
        for offer in offers:
            product = self._products.get(offer.code)
            if product is None:
                product = Product(code=offer.code, name=offer.name, created_at=self._now)
                products.append(product)
                self._products[offer.code] = product
            key = _key(offer)
            if key not in self._prices:
                price = Price(
                    product=product,
                    currency=offer.currency,
                    cycle=offer.cycle.value,
                    amount=offer.amount,
                    created_at=self._now,
                )
                prices.append(price)
                self._prices[key] = price
        Product.objects.bulk_create(products)
        Price.objects.bulk_create(prices)
        record_many(_notes(products, prices), actor=self._actor, now=self._now)
        return {offer: self._prices[_key(offer)] for offer in offers}

    def _load(self, codes: set[str]) -> None:
        for product in Product.objects.filter(code__in=codes):
            self._products[product.code] = product
        found = Price.objects.filter(product__code__in=codes, setup_fee=0, tax_inclusive=False)
        for price in found.select_related("product"):
            self._prices[price.product.code, price.cycle, price.currency, price.amount] = price


def _key(offer: Offer) -> tuple[str, str, str, int]:
    return offer.code, offer.cycle.value, offer.currency, offer.amount


def _notes(products: Sequence[Product], prices: Sequence[Price]) -> list[Note]:
    made = [
        Note(
            Action.PRODUCT_CREATED,
            "product",
            str(product.pk),
            {"after": {"code": product.code, "name": product.name}},
        )
        for product in products
    ]
    priced = [
        Note(
            Action.PRICE_CREATED,
            "price",
            str(price.pk),
            {
                "after": {
                    "product": price.product.code,
                    "currency": price.currency,
                    "cycle": price.cycle,
                    "amount": price.amount,
                }
            },
        )
        for price in prices
    ]
    return [*made, *priced]
