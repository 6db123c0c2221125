"""The first page: what a new tenant has still to do, then how the business stands."""

from typing import Any

from babel.dates import format_skeleton
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from accounts.pages import page_for
from accounts.permissions import may_bill, may_manage, may_see_figures
from billing import figures, listing
from billing.figures import Month, MonthlyChart, Owed, Row, Setup
from billing.formats import format_money
from billing.manage.answers import page, today
from billing.manage.forms.customers import FindCustomer
from billing.money import Money
from tenants import clock
from tenants.context import current_tenant


@require_safe
@page_for(may_manage)
def home(request: HttpRequest) -> HttpResponse:
    """How the business stands, for those who may see that; for the others whom they look after."""
    if not may_see_figures(request.user):
        found = FindCustomer(request.GET)
        words = found.cleaned_data["q"] if found.is_valid() else ""
        return page(request, "manage/home_of_support.html", form=found, found=listing.find_customers(words))
    return page(request, "manage/home.html", **_figures(request))


def _figures(request: HttpRequest) -> dict[str, Any]:
    day = today()
    months, owed = figures.by_month(today=day), figures.owed(today=day)
    own = current_tenant().currency
    currencies = sorted({*months, *owed, own}, key=lambda code: (code != own, code))
    chosen = request.GET.get("currency", own)
    currency = chosen if chosen in currencies else own
    series = months.get(currency, [])
    return {
        "steps": steps(figures.setup()) if may_bill(request.user) else None,
        "currency": currency,
        "currencies": [(code, "" if code == own else code) for code in currencies],
        "tiles": tiles(series, owed.get(currency), currency, failed=figures.failed_payments(now=clock.now())),
        "waiting": figures.waiting_payments(),
        "chart": chart(series, currency),
        "left_out": figures.leaves_out(),
    }


def tiles(months: list[Month], owed: Owed | None, currency: str, *, failed: int) -> list[dict[str, object]]:
    """The figures at the top, each with where it leads."""
    nothing = Money.zero(currency)
    stand = owed or Owed(nothing, 0, nothing, 0)
    invoices, only = reverse("manage:invoices"), f"&currency={currency}"
    last = format_money(months[-2].revenue, "en") if months else ""
    revenue = {
        "label": "Revenue this month",
        "value": months[-1].revenue if months else nothing,
        "note": f"{last} last month" if months else "before tax",
        "spark": [month.revenue.minor for month in months],
    }
    return [
        revenue,
        {
            "label": "Outstanding", "value": stand.outstanding, "href": f"{invoices}?status=open{only}",
            "note": f"on {_counted(stand.open, 'open invoice')}",
        },
        {
            "label": "Overdue", "value": stand.overdue, "href": f"{invoices}?status=overdue{only}",
            "note": f"on {_counted(stand.late, 'invoice')}" if stand.late else "Nothing is late",
            "tone": "bad" if stand.late else "good",
        },
        {
            "label": "Failed payments", "count": failed, "href": f"{invoices}?status=failed",
            "note": "of the last 30 days, still open" if failed else "None in 30 days",
            "tone": "bad" if failed else "good",
        },
    ]  # fmt: skip


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def chart(months: list[Month], currency: str) -> MonthlyChart | None:
    """Revenue and outstanding, month by month; nothing before anything was booked."""
    if not months:
        return None
    return MonthlyChart(
        title="Revenue and outstanding",
        labels=[format_skeleton("yMMM", month.first, locale="en") for month in months],
        axis=[format_skeleton("MMM", month.first, locale="en") for month in months],
        series=[
            Row("Revenue", [month.revenue.minor for month in months]),
            Row("Outstanding at the month's end", [month.outstanding.minor for month in months]),
        ],
        currency=currency,
    )


def steps(setup: Setup) -> dict[str, object] | None:
    """The first steps with what is done of them; None once all are."""
    rows = [
        _step(
            "Connect Stripe", "Customers pay by card, and the money goes to your own Stripe account.",
            setup.stripe, "manage:stripe", "Connect",
        ),
        _step(
            "Say who you are", "Your name, address and tax ID stand on every invoice; colour and logo too.",
            setup.business, "manage:settings", "Fill in",
        ),
        _step(
            "Set your taxes", "A rate for each country you sell to. If you charge none, set 0%.",
            setup.tax, "manage:taxes", "Add a rate",
        ),
        _step(
            "Add a product", "What you sell, with a price for each currency and billing cycle.",
            setup.product, "manage:product_new", "Add product",
        ),
        _step(
            "Add a customer", "One by hand, or all of them from a CSV file.",
            setup.customer, "manage:customer_new", "Add customer",
        ),
        _step(
            "Start a subscription", "From then on invoices are made, mailed and collected by themselves.",
            setup.subscription, "manage:subscription_new", "Start one",
        ),
    ]  # fmt: skip
    done = sum(bool(row["done"]) for row in rows)
    return None if done == len(rows) else {"rows": rows, "done": done, "total": len(rows)}


def _step(title: str, text: str, done: bool, target: str, action: str) -> dict[str, object]:
    try:
        href = reverse(target)
    except NoReverseMatch:
        href = ""
    return {"title": title, "text": text, "done": done, "href": href, "action": action}
