"""The Stripe stand-in as these tests drive it, and what they make in a tenant to be paid."""

import hashlib
import hmac
import json
import os
import time
import urllib.request
from datetime import UTC, date, datetime, timedelta
from typing import Any

import time_machine

from accounts.models import Customer
from audit.actors import Actor
from billing import cards, connecting
from billing.models import Invoice, InvoiceLine, NumberSeries, Payment
from tenants.ids import new_id

SYSTEM = Actor.system("tests")


def control(action: str, **given: Any) -> Any:
    """Ask the stand-in's control endpoint."""
    url = f"{os.environ['STRIPE_API_BASE']}/_control"
    body = json.dumps({"action": action, **given}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def status() -> Any:
    with urllib.request.urlopen(f"{os.environ['STRIPE_API_BASE']}/_control", timeout=30) as answer:
        return json.load(answer)


def fault(kind: str, **given: Any) -> None:
    """A fault in the account of the tenant at hand only, so that tests do not meet."""
    control("fault", kind=kind, account=connecting.require().account_id, **given)


def objects(kind: str) -> list[dict[str, Any]]:
    """Everything of a kind in the account of the tenant at hand."""
    account = connecting.require().account_id
    rows: list[dict[str, Any]] = control("dump", account=account, kinds=[kind])[account][kind]
    return rows


def succeeded() -> list[dict[str, Any]]:
    """The charges that took money."""
    return [row for row in objects("charge") if row["status"] == "succeeded"]


def connect(now: datetime) -> Any:
    """Connect an account of the tenant's own by a restricted key."""
    name = new_id().hex
    return connecting.connect_by_key(f"rk_test_{name}", f"pk_test_{name}", actor=SYSTEM, now=now)


def make_customer(now: datetime, **more: Any) -> Customer:
    fields = {"name": "Ada Lovelace", "email": "ada@example.org", "country": "DE", "currency": "EUR"}
    return Customer.objects.create(**(fields | {"created_at": now} | more))


def make_invoice(
    customer: Customer, now: datetime, *, total: int = 11900, currency: str = "EUR", due: date | None = None
) -> Invoice:
    """An open invoice with one line, issued and booked as the run does."""
    from django.db import transaction

    from audit.actions import Action
    from audit.recording import record
    from billing import ledger
    from billing.models.ledger import Account
    from billing.money import Money

    day = due or now.date()
    summary = [{"name": "", "rate_ppm": 0, "net": total, "tax": 0}]
    with transaction.atomic():
        series, _ = NumberSeries.objects.select_for_update().get_or_create(key="T")
        series.last += 1
        series.save()
        number = f"T-{series.last:06}"
        invoice = Invoice.objects.create(
            customer=customer,
            currency=currency,
            subtotal=total,
            total=total,
            tax_summary=summary,
            due_on=day,
            created_at=now,
        )
        InvoiceLine.objects.create(
            invoice=invoice,
            position=1,
            description="Hosting",
            unit_amount=total,
            net=total,
            tax=0,
            gross=total,
        )
        Invoice.objects.filter(pk=invoice.pk).update(
            status="open", number=number, issued_on=now.date(), issued_at=now
        )
        event = record(
            Action.INVOICE_ISSUED,
            subject=("invoice", invoice.pk),
            actor=SYSTEM,
            now=now,
            after={"number": number},
            series=series.key,
            n=series.last,
        )
        money = Money(total, currency)
        entry = ledger.Entry(
            f"invoice:{invoice.pk}:issued",
            event,
            [(Account.RECEIVABLE, money), (Account.REVENUE, -money)],
            customer=customer.pk,
            invoice=invoice.pk,
        )
        ledger.book([entry], now=now, on=now.date())
    invoice.refresh_from_db()
    return invoice


def with_card(customer: Customer, now: datetime, token: str = "pm_card_visa") -> Any:
    return cards.add_card(customer, token, autopay=True, actor=SYSTEM, now=now)


def confirm(payment: Payment, card: str = "pm_card_visa") -> dict[str, Any]:
    """Confirm in the payer's name with the publishable key, as the browser does; the intent or its error."""
    from billing import stripe_gateway

    secret = stripe_gateway.gateway_for(connecting.require()).intent(payment.external_id or "").client_secret
    return confirm_secret(secret, card)


def confirm_secret(secret: str, card: str, **more: str) -> dict[str, Any]:
    import urllib.error
    from urllib.parse import urlencode

    kind = "setup_intents" if secret.startswith("seti_") else "payment_intents"
    url = f"{os.environ['STRIPE_API_BASE']}/v1/{kind}/{secret.split('_secret_')[0]}/confirm"
    form = {"client_secret": secret, "payment_method": card, "use_stripe_sdk": "true", **more}
    headers = {"Authorization": f"Bearer {connecting.require().publishable_key}"}
    request = urllib.request.Request(url, urlencode(form).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))


def balance(account: str, currency: str = "EUR") -> int:
    """What the ledger says of an account."""
    from django.db.models import Sum

    from billing.models import Posting

    rows = Posting.objects.filter(account=account, currency=currency)
    return rows.aggregate(sum=Sum("amount"))["sum"] or 0


def signed(event: dict[str, Any], secret: str, *, at: int | None = None) -> tuple[bytes, str]:
    """A body and its `Stripe-Signature`."""
    body = json.dumps(event).encode()
    stamp = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={stamp},v1={digest}"


def webhook_secret() -> str:
    sealed = connecting.require().sealed_webhook_secret
    assert sealed is not None
    return sealed.reveal()


def work(at: datetime) -> int:
    """Work off what waits in this tenant at that time, as a worker would; returns how many jobs were done."""
    from tenants.models import Job
    from tenants.working import work_off

    done, at = 0, max(at, datetime.now(UTC) + timedelta(seconds=1))
    with time_machine.travel(at, tick=True):
        while True:
            due = Job.objects.filter(state=Job.State.WAITING, run_at__lte=at).exclude(name__contains=".mail_")
            ids = list(due.order_by("run_at", "id").values_list("pk", flat=True))
            worked = work_off(ids, now=at)
            if not worked:
                return done
            done += worked
