"""A form takes the fields that it declares, and nothing else: every field of every model is sent along."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import models, transaction
from django.test import Client
from django.urls import resolve

from accounts.models import Contact, User
from accounts.privacy_scope import of_user
from billing.manage.forms.invoices import LINE_FIELDS
from billing.models import Product
from privacy import consenting
from tenants import clock
from tests import logging_in
from tests.billing.manage.test_roles import TABLE
from tests.billing.portal import making
from tests.billing.portal.making import Account
from tests.billing.portal.test_team import FREE, OPENS

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
POSTED = set().union(FREE[1], *(pair[1] for pair in OPENS.values()))
KEYS = ("invoice", "card", "contact", "invitation")
BACKEND = "accounts.backends.EmailBackend"
APPS = ("accounts", "billing", "tenants", "audit", "vault")
ADDRESS = {
    "name": "Ida Holm", "business_name": "Holm", "email": "ida@holm.example", "country": "DE",
    "currency": "EUR", "locale": "en",
}  # fmt: skip
BUSINESS = {
    "business_name": "Alpha", "country": "DE", "email": "a@alpha.example", "address_line1": "Weg 1",
    "postal_code": "10115", "city": "Berlin",
}  # fmt: skip
REGION = {
    "name": "Alpha Hosting", "country": "DE", "time_zone": "Europe/Berlin", "currency": "EUR", "locale": "en"
}  # fmt: skip
LINE = {
    "lines-TOTAL_FORMS": "3", "lines-INITIAL_FORMS": "0", "lines-0-description": "Work",
    "lines-0-quantity": "1", "lines-0-amount": "10.00", "lines-0-tax_class": "standard",
}  # fmt: skip
# the form's page: what is sent, by whom ("O" an owner of the tenant, "C" a contact with everything)
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "/manage/customers/new/": ("O", ADDRESS),
    "/manage/customers/{customer}/change/": ("O", ADDRESS),
    "/manage/customers/{customer}/invite/": ("O", {"email": "x@x.example", "permissions": ["invoices"]}),
    "/manage/customers/{customer}/contacts/{contact}/": ("O", {"permissions": ["invoices"]}),
    "/manage/products/new/": ("O", {"name": "Mail", "tax_class": "standard"}),
    "/manage/products/{product}/change/": ("O", {"name": "Mail", "tax_class": "standard"}),
    "/manage/products/{product}/prices/new/": ("O", {"currency": "EUR", "amount": "5", "cycle": "monthly"}),
    "/manage/settings/": ("O", BUSINESS),
    "/manage/settings/invoices/": ("O", {"payment_days": "21"}),
    "/manage/settings/region/": ("O", REGION),
    "/manage/settings/hosts/": ("O", {"hostname": "billing.mass.example"}),
    "/manage/settings/security/": ("O", {"demand": "staff"}),
    "/manage/news/": ("O", {"title": "Autumn", "text": "Cheaper", "send": "1"}),
    "/manage/settings/brand/": ("O", {"brand_colour": "#112233"}),
    "/manage/settings/taxes/new/": (
        "O", {"country": "FR", "tax_class": "standard", "name": "TVA", "percent": "20"},
    ),
    "/manage/settings/staff/invite/": ("O", {"email": "x@x.example", "role": "read_only"}),
    "/manage/settings/staff/{colleague}/role/": ("O", {"role": "read_only"}),
    "/manage/invoices/{invoice}/void/": ("O", {"reason": "Wrong"}),
    "/manage/invoices/{invoice}/payment/": ("O", {"amount": "1.00", "received_on": "2026-11-23"}),
    "/manage/subscriptions/{subscription}/pause/": ("O", {"reason": "Asked"}),
    "/manage/subscriptions/{subscription}/cancel/": ("O", {"reason": "Asked"}),
    "/details/": ("C", ADDRESS),
    "/switch/": ("C", {"customer": "{customer}"}),
    "/autopay/": ("C", {"on": "0"}),
    "/team/invite/": ("C", {"email": "x@x.example", "permissions": ["invoices"]}),
    "/team/{contact}/": ("C", {"permissions": ["invoices"]}),
}  # fmt: skip


@pytest.fixture
def world(tenant: Any, now: datetime, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Things that the forms are about."""
    monkeypatch.setattr(clock, "now", lambda: now)
    lind = making.account()
    consenting.give(of_user(lind.user), how="tests", actor=making.ACTOR, now=now)
    limited = making.person("limited@lind.example")
    contact = Contact.objects.create(
        user=limited, customer=lind.customer, permissions=["details"], created_at=now
    )
    making.autopay(lind.customer)
    price = making.price()
    return {
        "account": lind, "customer": lind.customer.pk, "contact": contact.pk, "limited": limited,
        "product": Product.objects.get().pk, "owner": making.person("owner@alpha.example", "owner"),
        "colleague": making.person("emil@alpha.example", "support").pk,
        "invoice": making.invoice(lind.customer, due=making.TODAY).pk,
        "subscription": making.subscription(lind.customer, price, making.TODAY).pk,
    }  # fmt: skip


def hostile(declared: dict[str, Any]) -> dict[str, str]:
    """Every field of every model, by its name and by its column, with a value that would do harm."""
    sent: dict[str, str] = {"is_staff": "on", "is_superuser": "on", "tenant": "beta", "balance": "1"}
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            for field in model._meta.concrete_fields:
                for name in {field.name, field.attname}:
                    sent[name] = _harm(field)
    return {name: value for name, value in sent.items() if name not in declared}


def _harm(field: Any) -> str:
    values = [str(value) for value, _ in field.flatchoices]
    if values:
        return values[-1]
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.IntegerField):
        return "987654"
    return "2031-01-01" if isinstance(field, models.DateField) else "mallory"


def state() -> dict[str, list[Any]]:
    """All rows of all models without what differs by itself: keys made anew, instants, hashes."""
    skipped = (models.UUIDField, models.DateTimeField, models.BinaryField, models.ForeignKey)
    found: dict[str, list[Any]] = {}
    for app in ("accounts", "billing"):
        for model in apps.get_app_config(app).get_models():
            names = [each.attname for each in model._meta.concrete_fields if not isinstance(each, skipped)]
            rows = [
                tuple(ID.sub("id", repr(value)) for value in row)
                for row in model._default_manager.values_list(*names)
            ]
            found[model.__name__] = [names, *sorted(rows)]
    return found


def send(client: Client, path: str, form: dict[str, Any]) -> tuple[int, dict[str, list[Any]]]:
    """Send the form, look at everything, and take it back."""
    point = transaction.savepoint()
    answer = client.post(path, form)
    after = state()
    transaction.savepoint_rollback(point)
    return answer.status_code, after


@pytest.mark.parametrize("path", FORMS)
def test_a_form_changes_nothing_but_its_declared_fields(world: dict[str, Any], path: str) -> None:
    who, declared = FORMS[path]
    account: Account = world["account"]
    client = Client(HTTP_HOST="alpha.localhost")
    logging_in.enter(client, world["owner"] if who == "O" else account.user)
    offered = client.get(path.format(**world))
    shown = (offered.context or {}).get("form") if offered.status_code == 200 else None
    form = {each.html_name: each.value() for each in shown} if shown else {}
    fields = dict.fromkeys(form)
    form = {name: value for name, value in form.items() if value not in (None, False)}
    form |= {
        key: value.format(**world) if isinstance(value, str) else value for key, value in declared.items()
    }
    status, wanted = send(client, path.format(**world), form)
    assert status == 302, "the form as it is meant is not taken"
    answered, found = send(client, path.format(**world), hostile(fields | form) | form)
    assert answered == 302
    for model, rows in wanted.items():
        assert found[model] == rows, model


def test_a_draft_takes_its_lines_and_nothing_else(
    world: dict[str, Any], browser_of: Callable[..., Client]
) -> None:
    client = browser_of(world["owner"])
    path = f"/manage/invoices/new/?customer={world['customer']}"
    form = LINE | {"due_on": "2026-12-01", "note": ""}
    status, wanted = send(client, path, form)
    assert status == 302
    extra = {f"lines-0-{name}": value for name, value in hostile({}).items() if f"lines-0-{name}" not in form}
    declared = {*LINE_FIELDS, "DELETE"}
    extra = {name: value for name, value in extra.items() if name.rpartition("-")[2] not in declared}
    assert send(client, path, hostile(form) | extra | form) == (302, wanted)


@pytest.fixture
def browser_of() -> Callable[..., Client]:
    def make(user: User) -> Client:
        client = Client(HTTP_HOST="alpha.localhost")
        logging_in.enter(client, user)
        return client

    return make


# Pages that take a POST with no field of a model in it, or one that is tried elsewhere.
WITHOUT_FIELDS = {
    "customer_resume", "invoice_resume", "customer_closing", "customer_erasure", "settings_closing",
    "contact_remove", "invitation_resend", "invitation_withdraw", "price_switch", "subscription_resume",
    "invoice_discard", "invoice_issue", "invoice_send", "payment_ask", "payment_end", "payment_take_in",
    "payment_absent", "run_now", "import",
    "import_preview", "audit_check", "audit_export", "settings_no_logo", "tax_remove", "stripe_key",
    "stripe_disconnect",
    "staff_deactivate", "staff_reactivate", "staff_resend", "staff_withdraw", "staff_hand_over",
    "factors_reset", "copies", "host_look", "host_primary", "host_remove", "host_withdraw",
    "pay", "pay_status", "card_default", "card_remove", "add_card", "add_card_status", "team_remove",
    "team_resend", "team_withdraw",
}  # fmt: skip
SAME_FORM = {"invoice_new", "invoice_edit", "subscription_new", "tax"}


def test_every_page_that_takes_a_form_is_tried(world: dict[str, Any]) -> None:
    """A new page that takes a form has to be put into one of the lists."""
    tried = {str(resolve(path.format(**world)).url_name) for path in FORMS}
    takes = {name for name, columns in TABLE.items() if columns[1]}
    keys = dict.fromkeys(KEYS, world["contact"])
    takes |= {str(resolve(path.format(**keys)).url_name) for path in POSTED}
    assert takes == tried | WITHOUT_FIELDS | SAME_FORM
