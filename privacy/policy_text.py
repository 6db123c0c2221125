"""The policy as text: the template with the tables that the inventory gives, and the hash it is known by."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.template import Context, Engine

from privacy import inventory, policy_tables
from privacy.periods import PERIODS

CONTACT = "billing@proecommerce.com"
_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "privacy"


@dataclass(frozen=True, slots=True)
class PolicyText:
    """What the template and the inventory say at present."""

    html: str
    sha256: str
    facts: dict[str, list[str]]


def present() -> PolicyText:
    """Render the policy from the inventory as it is declared now."""
    holdings = inventory.holdings()
    tables = {
        "collected": policy_tables.collected(holdings),
        "used": policy_tables.used(holdings),
        "shared": policy_tables.shared(holdings),
        "kept": policy_tables.kept(holdings, PERIODS),
        "contact": CONTACT,
        "not_built": policy_tables.NOT_BUILT,
    }
    html = _engine().get_template("policy.html").render(Context(tables)).strip()
    return PolicyText(html, sha256(html), policy_tables.facts(holdings, PERIODS))


def sha256(html: str) -> str:
    """Return the hash that a text is known by."""
    return hashlib.sha256(html.encode()).hexdigest()


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(_TEMPLATES)])
