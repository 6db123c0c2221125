"""Who gets to see which page."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse

from billing.manage import urls
from tests.logging_in import enter

from .conftest import HOST

OWNERS_ONLY = {
    "settings", "settings_invoices", "settings_region", "settings_brand", "settings_no_logo", "taxes",
    "tax_new", "tax", "tax_remove", "staff", "staff_invite", "staff_hand_over", "staff_role",
    "staff_deactivate", "staff_reactivate", "staff_resend", "staff_withdraw", "stripe", "stripe_connect",
    "stripe_callback", "stripe_key", "stripe_disconnect", "factors_reset", "settings_security",
    "settings_closing",
    "hosts", "host_primary", "host_remove", "host_look", "host_withdraw",
    "copies", "copy_state", "copy_fetch",
}  # fmt: skip
ONLY_GET = {"copy_state", "copy_fetch"}
LEADS_AWAY = {"stripe_connect", "stripe_callback"}
ONLY_POST = {
    "price_switch", "subscription_resume", "invoice_issue", "invoice_send", "invoice_discard", "run_now",
    "customer_resume", "invoice_resume", "audit_check", "audit_export", "settings_no_logo", "tax_remove",
    "payment_ask",
    "payment_end", "payment_take_in", "contact_remove", "invitation_resend",
    "invitation_withdraw", "staff_role", "staff_deactivate", "staff_reactivate", "staff_resend",
    "staff_withdraw", "stripe_key", "stripe_disconnect", "factors_reset",
    "host_primary", "host_remove", "host_look", "host_withdraw",
}  # fmt: skip


def pages(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from pages(pattern.url_patterns)
        else:
            yield pattern


PAGES = list(pages(urls.urlpatterns))


def address(pattern: URLPattern) -> str:
    name = f"manage:{pattern.name}"
    for count in range(3):
        for value in (uuid4(), "x"):
            with suppress(NoReverseMatch):
                return reverse(name, args=[value] * count, urlconf="proecommerce.urls")
    raise NoReverseMatch(name)


def every(method: str, client: Client) -> dict[str, Any]:
    """What each page answers."""
    return {str(pattern.name): getattr(client, method)(address(pattern)) for pattern in PAGES}


def test_strangers_are_sent_to_the_log_in_and_back(tenant: Any) -> None:
    client = Client(headers=HOST)
    answers = every("get", client)
    for name, answer in answers.items():
        assert answer.status_code in {302, 405}, name
        if answer.status_code == 302:
            assert answer["Location"].startswith("/log-in/?next=/manage/"), name
    for name, answer in every("post", client).items():
        assert answer.status_code in {302, 405}, name


def test_contacts_are_refused_everywhere(browse: Any) -> None:
    client = browse("contact")
    for method in ("get", "post"):
        for name, answer in every(method, client).items():
            assert answer.status_code in {403, 405}, (method, name)


def test_staff_see_all_but_the_settings_which_owners_see(browse: Any) -> None:
    refused = {name for name, answer in every("get", browse("billing")).items() if answer.status_code == 403}
    posted = {name for name, answer in every("post", browse("owner")).items() if answer.status_code == 403}
    assert refused == OWNERS_ONLY - ONLY_POST
    assert posted == set()


def test_staff_can_change_no_setting(staff: Client) -> None:
    for pattern in PAGES:
        if pattern.name in OWNERS_ONLY - {
            "taxes",
            "staff",
            "stripe",
            "copy_state",
            "copy_fetch",
            *LEADS_AWAY,
        }:
            assert staff.post(address(pattern)).status_code == 403, pattern.name


def test_what_changes_something_is_never_done_by_a_link(owner: Client) -> None:
    answers = every("get", owner)
    assert {name for name, answer in answers.items() if answer.status_code == 405} == ONLY_POST


def test_what_is_not_there_is_404(owner: Client) -> None:
    for pattern in PAGES:
        if pattern.name != "import_preview" and re.search(r"/[0-9a-f-]{36}/", address(pattern)):
            answer = owner.post(address(pattern)) if owner.get(address(pattern)).status_code == 405 else None
            answer = answer or owner.get(address(pattern))
            assert answer.status_code == 404, pattern.name


def test_another_tenants_session_opens_nothing(browse: Any, two_tenants: Any) -> None:
    client = browse("owner")
    assert client.get("/manage/").status_code == 200
    assert client.get("/manage/", headers={"host": "beta.localhost"}).status_code == 302


def test_forms_without_their_token_change_nothing(person: Any) -> None:
    client = Client(headers=HOST, enforce_csrf_checks=True)
    enter(client, person("owner"))
    for pattern in PAGES:
        assert client.post(address(pattern)).status_code in {403, 405, 429}, pattern.name  # soon: too many


def test_refusals_are_pages_that_say_what_to_do(browse: Any) -> None:
    answer = browse("contact").get("/manage/")
    assert answer.status_code == 403
    assert "Ask an owner of Alpha Hosting" in answer.content.decode()


@pytest.mark.parametrize("path", ["/manage/nothing/", "/nothing/"])
def test_missing_pages_are_designed(owner: Client, path: str) -> None:
    answer = owner.get(path)
    assert answer.status_code == 404
    assert "This page is not here" in answer.content.decode()
