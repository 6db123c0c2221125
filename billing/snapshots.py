"""Both parties of an invoice as they are at issue: what stands on it for ever."""

import json
from collections.abc import Mapping
from typing import Any, Final

from billing.tax import TaxGroup, by_rate

BUYER_FIELDS: Final = (
    "name", "business_name", "email", "phone", "address_line1", "address_line2", "city", "state",
    "postal_code", "country", "tax_id",
)  # fmt: skip
SELLER_FIELDS: Final = (
    "business_name", "email", "phone", "address_line1", "address_line2", "city", "state",
    "postal_code", "country", "tax_id",
)  # fmt: skip

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_json(value: Any) -> str:
    """Write a value for a jsonb column."""
    return _encode(value)


def party(source: Any, fields: tuple[str, ...]) -> dict[str, str]:
    """Take the fields that are filled from a row or model of a party."""
    get = source.get if isinstance(source, Mapping) else lambda name: getattr(source, name)
    return {name: value for name in fields if (value := get(name))}


def seller_of(settings: Any, name: str) -> dict[str, str]:
    """The seller's snapshot; `name` stands in while the tenant has not set its business name."""
    return {"business_name": name, **party(settings, SELLER_FIELDS)}


def tax_summary(groups: tuple[TaxGroup, ...]) -> list[dict[str, Any]]:
    """The taxes printed under an invoice; a single rate is its own summary."""
    merged = groups if len(groups) == 1 else by_rate(groups)
    return [
        {"name": group.rule.name, "rate_ppm": group.rule.rate_ppm, "net": group.net, "tax": group.tax}
        for group in merged
    ]
