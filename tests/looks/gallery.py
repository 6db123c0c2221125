"""The gallery's pages: a Django of its own, without a database, and what they show."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django
from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from billing.money import Money
from proecommerce.charts import Chart, Series

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MONTHS = ["Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]
PAGES = {
    "manage_home": "/manage/",
    "list": "/manage/invoices/?status=open",
    "detail": "/manage/invoices/7/",
    "form": "/manage/products/new/",
    "form_errors": "/manage/products/new/?wrong=1",
    "empty": "/manage/customers/?said=1",
    "portal": "/",
    "invoice": "/i/token/",
    "login": "/log-in/?wrong=1",
    "public": "/public/",
    "403": "/403/",
    "404": "/404/",
    "500": "/500/",
}


@dataclass(frozen=True)
class Row:
    number: str
    customer: str
    status: str
    due: date
    total: Money


@dataclass(frozen=True)
class Said:
    level_tag: str
    words: str

    def __str__(self) -> str:
        return self.words


class ProductForm(forms.Form):
    name = forms.CharField(help_text="As it stands on invoices.")
    description = forms.CharField(widget=forms.Textarea, required=False)
    price = forms.CharField()
    cycle = forms.ChoiceField(label="Billed", choices=[("monthly", "Every month"), ("annual", "Every year")])
    tax = forms.ChoiceField(
        label="Tax class",
        widget=forms.RadioSelect,
        choices=[("standard", "Standard"), ("reduced", "Reduced"), ("exempt", "Exempt")],
        help_text="The rate follows from the customer’s country.",
    )
    channels = forms.MultipleChoiceField(
        label="Sold through",
        widget=forms.CheckboxSelectMultiple,
        choices=[("site", "Site"), ("portal", "Portal")],
        required=False,
    )
    colour = forms.CharField(
        widget=forms.TextInput(attrs={"type": "color"}), initial="#3b5bdb", required=False
    )
    logo = forms.FileField(required=False)
    active = forms.BooleanField(
        label="Offer it to new customers", required=False, help_text="Others keep it."
    )


class Filters(forms.Form):
    q = forms.CharField(label="Search", widget=forms.TextInput(attrs={"type": "search"}))
    currency = forms.ChoiceField(choices=[("", "Every currency"), ("EUR", "EUR")])
    since = forms.DateField(label="Due from", widget=forms.DateInput(attrs={"type": "date"}))


class LogIn(forms.Form):
    email = forms.EmailField(label="E-mail address")
    password = forms.CharField(widget=forms.PasswordInput)


def _rows() -> list[Row]:
    names = [
        "Nordlicht Hosting GmbH",
        "Παπαδόπουλος & Υιοί ΑΕ",
        "株式会社サンプル",
        "Société Générale d’Hébergement et de Noms de Domaine",
    ]
    statuses = ["open", "overdue", "paid", "draft", "void"]
    return [
        Row(
            f"ACME-2026-{number:06d}",
            names[number % 4],
            statuses[number % 5],
            date(2026, 12, 1 + number % 28),
            Money(1490 * (number % 97 + 1), "EUR" if number % 3 else "JPY"),
        )
        for number in range(503)
    ]


def _charts() -> dict[str, Chart]:
    labels = [f"{month} {2025 if month == 'Dec' else 2026}" for month in MONTHS]
    paid = [
        812_00,
        934_50,
        1020_00,
        990_10,
        1204_00,
        1377_90,
        1350_00,
        1490_00,
        1622_40,
        1710_00,
        1688_00,
        1890_20,
    ]
    owed = [210_00, 190_00, 340_00, 280_00, 205_00, 390_00, 410_00, 260_00, 300_00, 420_00, 380_00, 310_00]
    refunds = [0, 0, -40_00, 0, 0, -120_00, 0, 0, -60_00, 0, 0, -90_00]
    collected, open_, back = (
        Series("Collected", paid),
        Series("Outstanding", owed),
        Series("Refunded", refunds),
    )
    more: dict[str, Any] = {"currency": "EUR", "axis": MONTHS}
    return {
        "bars": Chart("bar", "Revenue", labels, [collected], **more),
        "lines": Chart("line", "Collected and outstanding", labels, [collected, open_], **more),
        "pile": Chart("stacked", "Where it stands", labels, [collected, open_, back], **more),
    }


def context(request: HttpRequest) -> dict[str, Any]:
    wrong: dict[str, Any] | None = {} if "wrong" in request.GET else None
    done = ("Connect Stripe", "Set your brand")
    return {
        "tenant": SimpleNamespace(name="Acme Hosting"),
        "user": SimpleNamespace(is_authenticated=True, email="ines@acme.example"),
        "csrf_token": "token",
        "messages": [Said("success", "The product was added.")] if "said" in request.GET else [],
        "now": NOW,
        "due": NOW.date(),
        "collected": "€18,902.20",
        "outstanding": "€3,100.00",
        "overdue": "€412.60",
        "trend": [3, 5, 4, 6, 8, 7, 9, 12, 11, 14, 13, 16],
        "steps": [
            {"title": title, "text": text, "done": title in done, "href": "#", "action": action}
            for title, text, action in [
                ("Connect Stripe", "Cards are charged on your own account.", "Connect"),
                ("Set your brand", "Your logo and colour on pages, mails and invoices.", "Set"),
                ("Add your first product", "What you sell, for how much, how often.", "Add"),
                ("Add your first customer", "By hand, or import all of them from a file.", "Add"),
            ]
        ],
        "choices": [("All", "", 503), ("Open", "open", 38), ("Overdue", "overdue", 9), ("Paid", "paid", 456)],
        "page": Paginator(_rows(), 12).get_page(3),
        "filters": Filters(),
        "form": ProductForm(wrong),
        "login": LogIn(wrong),
        "statuses": ["draft", "open", "paid", "void", "overdue", "needs_action", "processing", "parked"],
        "notices": [
            ("info", "For your information"),
            ("good", "It is done"),
            ("warn", "Look here"),
            ("bad", "Oh no"),
        ],
        "features": [
            ("document-text", "Invoices"),
            ("credit-card", "Payments"),
            ("scale", "Books that balance"),
        ],
        "plans": [("Start", "€0"), ("Grow", "€29"), ("Scale", "€99")],
        **_charts(),
    }


def _show(request: HttpRequest, template: str) -> HttpResponse:
    from django.shortcuts import render

    if template == "500.html":
        from django.template.loader import get_template

        return HttpResponse(get_template(template).render())
    return render(request, template, context(request))


def _brand(request: HttpRequest) -> HttpResponse:
    return HttpResponse(":root{--brand:#3b5bdb}", content_type="text/css")


def _page(route: str, template: str, name: str = "") -> Any:
    kwargs = {"template": template}
    return path(route, _show, kwargs, name=name) if name else path(route, _show, kwargs)


def _urls() -> list[Any]:
    manage = [
        _page("", "gallery/manage_home.html", "home"),
        _page("customers/", "gallery/empty.html", "customers"),
        _page("subscriptions/", "gallery/empty.html", "subscriptions"),
        _page("products/", "gallery/empty.html", "products"),
        _page("products/new/", "gallery/form.html"),
        _page("invoices/", "gallery/list.html", "invoices"),
        _page("invoices/7/", "gallery/detail.html"),
        *[_page(f"{name}/", "gallery/empty.html", name) for name in ("runs", "import", "audit", "settings")],
    ]
    portal = [
        _page("", "gallery/portal.html", "home"),
        _page("invoices/", "gallery/portal.html", "invoices"),
        _page("cards/", "gallery/portal.html", "cards"),
    ]
    accounts = [_page("log-in/", "gallery/login.html", "login"), _page("log-out/", "404.html", "logout")]
    return [
        path("manage/", include((manage, "manage"))),
        path("", include((portal, "portal"))),
        path("", include((accounts, "accounts"))),
        path("brand.css", _brand, name="brand_css"),
        _page("i/token/", "gallery/invoice.html"),
        _page("public/", "gallery/public.html"),
        _page("plans/", "gallery/public.html", "plans"),
        _page("sign-up/", "gallery/public.html", "signup"),
        _page("privacy/", "gallery/public.html", "privacy"),
        *[_page(f"{status}/", f"{status}.html") for status in (400, 403, 404, 429, 500)],
    ]


urlpatterns: list[Any] = []


def prepare() -> None:
    """Set Django up for the gallery alone."""
    settings.configure(
        SECRET_KEY="gallery",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.staticfiles", "proecommerce.apps.ProecommerceConfig"],
        MIDDLEWARE=["csp.middleware.CSPMiddleware", "whitenoise.middleware.WhiteNoiseMiddleware"],
        WHITENOISE_USE_FINDERS=True,
        STATIC_URL="/static/",
        STATICFILES_DIRS=[ROOT / "static"],
        USE_TZ=True,
        TIME_ZONE="Europe/Berlin",
        CONTENT_SECURITY_POLICY={
            "DIRECTIVES": {
                "default-src": ["'none'"],
                "script-src": ["'self'"],
                "style-src": ["'self'"],
                "img-src": ["'self'", "data:"],
                "form-action": ["'self'"],
            }
        },
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [ROOT / "templates", Path(__file__).parent / "templates"],
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"],
                    "builtins": ["proecommerce.templatetags.looks"],
                },
            }
        ],
    )
    django.setup()
    urlpatterns.extend(_urls())
