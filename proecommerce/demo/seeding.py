"""Bringing the demo's businesses to life: months of billing, lived through day by day."""

import json
import os
from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.customers import create_customer
from accounts.grants import Grant, Permission
from accounts.models import Customer, User
from accounts.people import add_contact, create_user
from audit.actors import Actor
from billing import cards, cataloguing, configuring, connecting, payments, planning, rehearsing, subscribing
from billing.errors import Refused
from billing.models import Invoice, Price
from billing.periods import add_months, local_date, local_midnight
from proecommerce.demo.business import BUSINESSES, Business, Client, Payer
from tenants.context import enter, enter_public
from tenants.jobs import enqueue
from tenants.models import Tenant
from tenants.provisioning import NewTenant, create_tenant

PASSWORD = "a-demo-needs-a-password"
SEED = Actor.system("demo")
CARD: dict[Payer, str] = {"autopay": "pm_card_visa", "declined": "pm_card_chargeCustomerFail"}
# After how many days from the due date those without autopay send their money; "never" do not.
PAYS_AFTER: dict[Payer, int] = {"transfer": 2, "late": 19}
Say = Callable[[str], None]


def seed(*, now: datetime, say: Say) -> None:
    """Make what of the demo is not there yet, and write its log-ins to the file that DEMO_LOGINS names."""
    _staff(now)
    for business in BUSINESSES:
        with enter_public():
            known = Tenant.objects.filter(slug=business.slug).first()
        if known is None or known.is_rehearsal:
            _bring_to_life(business, known, now=now, say=say)
        say(f"{business.name}: ready")
    _write_logins()


def _staff(now: datetime) -> None:
    with enter_public():
        if not User.objects.filter(role=User.Role.PLATFORM).exists():
            create_user(
                email="staff@proecommerce.example", name="Robin Platform", role=User.Role.PLATFORM,
                password=PASSWORD, actor=SEED, now=now,
            )  # fmt: skip


def _bring_to_life(business: Business, known: Tenant | None, *, now: datetime, say: Say) -> None:
    """Rehearse the months up to now; what was begun before and interrupted goes on where it was."""
    today = now.date()
    begin = _first_month(today)
    started = datetime(begin.year, begin.month, 1, 9, tzinfo=now.tzinfo)
    tenant = known or create_tenant(_new_tenant(business), actor=SEED, now=started)
    with enter(tenant):
        if not Customer.objects.exists():
            with transaction.atomic():
                _fill(business, begin, started)
        if connecting.current() is None:
            connecting.connect_by_key(
                f"rk_test_{business.slug}", f"pk_test_{business.slug}", actor=SEED, now=started
            )
        _save_cards(business, started)
    for lived in rehearsing.live(tenant, start=_where_it_was(tenant, begin), until=today - timedelta(days=1)):
        with enter(tenant):
            _send_money(business, lived.day, tenant)
        if lived.day.day == 1:
            say(f"{business.name}: {lived.day:%B %Y}")
    _go_live(tenant, now=now)


def _first_month(today: date) -> date:
    """A month that has a 31st, for the subscriptions that begin on it, some five months back."""
    months = (add_months(today.replace(day=1), -ago) for ago in (5, 4))
    return next(first for first in months if monthrange(first.year, first.month)[1] == 31)


def _new_tenant(business: Business) -> NewTenant:
    return NewTenant(
        slug=business.slug,
        name=business.name,
        country=business.country,
        currency=business.currency,
        time_zone=business.time_zone,
        locale=business.locale,
        is_rehearsal=True,
    )


def _fill(business: Business, begin: date, now: datetime) -> None:
    for (name, email), role in (
        (business.owner, User.Role.OWNER),
        (business.billing, User.Role.BILLING),
        (business.support, User.Role.SUPPORT),
        (business.reader, User.Role.READ_ONLY),
    ):
        create_user(email=email, name=name, role=role, password=PASSWORD, actor=SEED, now=now)
    colour = {"brand_colour": business.brand_colour, "business_name": business.name}
    configuring.change_settings(**business.address, **colour, actor=SEED, now=now)
    for tax_class, country, rate_ppm, name in business.tax:
        cataloguing.set_tax_rate(
            tax_class=tax_class, country=country, name=name, rate_ppm=rate_ppm, actor=SEED, now=now
        )
    prices = _catalog(business, now)
    for client in business.clients:
        customer = _customer(business, client, now)
        for code, cycle, day in client.wares:
            price = prices[code, cycle.value]
            subscribing.subscribe(
                customer, price=price, started_on=begin.replace(day=day), actor=SEED, now=now
            )
    _bookkeeper(business, now)


def _bookkeeper(business: Business, now: datetime) -> None:
    """Somebody who acts for two customers, and may only see their invoices."""
    name, email = business.bookkeeper
    user = create_user(email=email, name=name, role=User.Role.CONTACT, password=PASSWORD, actor=SEED, now=now)
    for client in business.clients[:2]:
        customer = Customer.objects.get(email=client.email)
        add_contact(user, customer, grant=Grant.of([Permission.INVOICES]), actor=SEED, now=now)


def _catalog(business: Business, now: datetime) -> dict[tuple[str, str], Price]:
    prices: dict[tuple[str, str], Price] = {}
    for ware in business.wares:
        product = cataloguing.create_product(
            code=ware.code, name=ware.name, description=ware.description, actor=SEED, now=now
        )
        for cycle, amount, setup_fee in ware.prices:
            prices[ware.code, cycle.value] = cataloguing.create_price(
                product, currency=business.currency, cycle=cycle.value, amount=amount, setup_fee=setup_fee,
                actor=SEED, now=now,
            )  # fmt: skip
    return prices


def _customer(business: Business, client: Client, now: datetime) -> Customer:
    customer = create_customer(
        name=client.name,
        business_name=client.business,
        email=client.email,
        address_line1=client.street,
        postal_code=client.postal_code,
        city=client.city,
        country=client.country,
        currency=business.currency,
        locale=client.locale,
        tax_id=client.tax_id,
        actor=SEED,
        now=now,
    )
    user = create_user(
        email=client.email, name=client.name, role=User.Role.CONTACT, password=PASSWORD, actor=SEED, now=now
    )
    add_contact(user, customer, actor=SEED, now=now)
    return customer


def _save_cards(business: Business, now: datetime) -> None:
    for client in business.clients:
        customer = Customer.objects.get(email=client.email)
        has_card = customer.payment_methods.filter(removed_at__isnull=True).exists()
        if client.payer in CARD and not has_card:
            cards.add_card(customer, CARD[client.payer], autopay=True, actor=SEED, now=now)


def _send_money(business: Business, day: date, tenant: Tenant) -> None:
    """Those without autopay send what they owe, some of them late."""
    now = local_midnight(day, tenant.zone) + timedelta(hours=11)
    for client in business.clients:
        after = PAYS_AFTER.get(client.payer)
        if after is None:
            continue
        due = Invoice.objects.filter(
            customer__email=client.email, status=Invoice.Status.OPEN, due_on__lte=day - timedelta(days=after)
        )
        for invoice in due:
            try:
                payments.record_manual(
                    invoice, amount=invoice.amount_due.minor, received_on=day, note="Bank transfer",
                    actor=SEED, now=now,
                )  # fmt: skip
            except Refused:
                continue


def _where_it_was(tenant: Tenant, begin: date) -> date:
    return local_date(tenant.rehearsal_now, tenant.zone) if tenant.rehearsal_now else begin


def _go_live(tenant: Tenant, *, now: datetime) -> None:
    """From here on the tenant lives in real time; the newest open invoices go out by mail."""
    with enter_public(), transaction.atomic():
        Tenant.objects.filter(pk=tenant.pk).update(is_rehearsal=False, rehearsal_now=None)
    tenant.is_rehearsal, tenant.rehearsal_now = False, None
    with enter(tenant), transaction.atomic():
        planning.replan(now=now)
        for invoice in Invoice.objects.filter(status=Invoice.Status.OPEN).order_by("-issued_at")[:6]:
            enqueue("billing.mail_invoice", invoice_id=str(invoice.pk), key=f"demo-mail:{invoice.pk}")


def _write_logins() -> None:
    target = os.environ.get("DEMO_LOGINS")
    if not target:
        return
    site = settings.SITE_URL
    logins: list[dict[str, Any]] = [
        {
            "who": "platform staff",
            "url": f"{site}/admin/",
            "email": "staff@proecommerce.example",
            "password": PASSWORD,
            "note": "The first log-in asks to set up a second factor: an app on your phone, or a passkey.",
        }
    ]
    for business in BUSINESSES:
        host = site.replace("://", f"://{business.slug}.", 1)
        payer = next(c for c in business.clients if c.payer == "late")
        saver = next(c for c in business.clients if c.payer == "autopay")
        for who, path, email in (
            (f"owner of {business.name}", "/manage/", business.owner[1]),
            (f"billing at {business.name}", "/manage/", business.billing[1]),
            (f"support at {business.name}", "/manage/", business.support[1]),
            (f"read-only at {business.name}", "/manage/", business.reader[1]),
            (f"customer of {business.name} who owes", "/", payer.email),
            (f"customer of {business.name} with a saved card", "/", saver.email),
            (f"contact of two customers of {business.name}, sees invoices", "/", business.bookkeeper[1]),
        ):
            logins.append({"who": who, "url": f"{host}{path}", "email": email, "password": PASSWORD})
    Path(target).write_text(json.dumps(logins, indent=1), encoding="utf-8")
