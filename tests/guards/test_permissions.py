"""Every page of a tenant's host declares who may see it and who may change something there."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from accounts import permissions
from tests.guards.source import ROOT

# Open to whomever: log-in and mailed links prove who may by themselves, Stripe's events are signed.
OPEN = {
    "brand_css", "brand_logo", "stripe_webhook",
    "accounts:login", "accounts:logout", "accounts:ask_reset", "accounts:reset", "accounts:invitation",
    "accounts:visit", "accounts:visit_leave", "accounts:second_factor", "accounts:backup_code",
    "accounts:passkey", "accounts:passkey_ask", "accounts:keep_factors", "accounts:email_confirm",
    "accounts:email_undo", "accounts:reopen", "security_txt", "unsubscribe",
}  # fmt: skip
# What is charged; others of those who bill ask nothing, as they act all day and leave a record.
PRICES = {"manage:price_new", "manage:price_switch"}
# Pages that change something of owners, cards or contacts without asking again who it is, and why.
UNASKED = {
    "manage:settings_brand": "a colour and a picture", "manage:settings_no_logo": "a picture",
    "manage:host_look": "asks the DNS once more", "manage:host_withdraw": "takes back what opens nothing yet",
    "manage:staff_resend": "a mail to whom the confirmed invitation named",
    "manage:staff_withdraw": "takes back what was not accepted",
    "manage:contact_remove": "takes rights away", "portal:team_remove": "takes rights away",
    "manage:invitation_resend": "a mail to whom the confirmed invitation named",
    "manage:invitation_withdraw": "takes back what was not accepted",
    "portal:team_resend": "a mail to whom the confirmed invitation named",
    "portal:team_withdraw": "takes back what was not accepted",
    "portal:add_card": "shows Stripe's form: only who has the card can fill it in",
    "portal:add_card_status": "asks Stripe what became of that",
    "manage:stripe": "only shows", "manage:stripe_callback": "ends what was begun by who confirmed",
}  # fmt: skip
PREDICATES = {*permissions.FOR_STAFF.values(), *permissions.FOR_CONTACTS.values()}
MAY = re.compile(r"\bmay\.(\w+)")


def pages(patterns: list[Any], namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from pages(pattern.url_patterns, inner)
        else:
            yield f"{namespace}{pattern.name}", pattern


PAGES = dict(pages(get_resolver("proecommerce.urls").url_patterns))


def test_every_page_declares_its_predicates() -> None:
    for name, pattern in PAGES.items():
        declared = getattr(pattern.callback, "declared", None)
        if name in OPEN:
            assert declared is None or set(declared) <= PREDICATES, name
            continue
        assert declared is not None, f"{name} says of nobody that they may see it: see accounts.pages"
        assert set(declared) <= PREDICATES, f"{name} asks something that accounts.permissions does not know"


def test_pages_of_customers_ask_contacts_and_those_of_the_tenant_its_people() -> None:
    contacts, staff = set(permissions.FOR_CONTACTS.values()), set(permissions.FOR_STAFF.values())
    for name, pattern in PAGES.items():
        declared = set(getattr(pattern.callback, "declared", ()))
        if name.startswith("portal:"):
            assert declared <= contacts, name
        elif name.startswith("manage:"):
            assert declared <= staff, name
    assert sum(name.startswith("portal:") for name in PAGES) > 15
    assert sum(name.startswith("manage:") for name in PAGES) > 50


def test_what_moves_money_or_access_asks_again_who_it_is() -> None:
    asking = {
        permissions.may_change_settings, permissions.may_manage_colleagues, permissions.may_hand_over,
        permissions.may_connect_stripe, permissions.may_import, permissions.may_change_cards,
        permissions.may_change_team, permissions.may_invite_contacts,
    }  # fmt: skip
    pages_that_do = {
        name: pattern.callback
        for name, pattern in PAGES.items()
        if getattr(pattern.callback, "declared", (None, None))[1] in asking or name in PRICES
    }
    assert len(pages_that_do) > 30
    unasked = {name for name, page in pages_that_do.items() if not getattr(page, "confirms", False)}
    assert unasked == set(UNASKED)


def test_every_predicate_is_listed_where_templates_find_it() -> None:
    named = {each for name, each in vars(permissions).items() if name.startswith("may_")}
    of_two = {permissions.may_act_for, permissions.may_grant, permissions.may_change_contact}
    assert named - of_two == PREDICATES


def test_templates_ask_only_what_there_is() -> None:
    known = {each.__name__.removeprefix("may_") for each in PREDICATES}
    for path in (ROOT / "templates").rglob("*.html"):
        asked = set(MAY.findall(path.read_text(encoding="utf-8")))
        assert asked <= known, f"{path}: {asked - known}"
