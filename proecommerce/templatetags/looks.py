"""What templates say: money, days and counts in the reader's way, icons, badges, fields, charts, navigation.

A builtin library: templates need no `{% load %}`. docs/looks.md shows every part in use.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import heroicons
from babel.dates import format_skeleton, format_time
from babel.numbers import format_compact_currency, format_compact_decimal
from django import template
from django.core.paginator import Page
from django.forms import BaseForm, BoundField, CheckboxInput
from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from billing.formats import (
    format_date,
    format_money,
    format_number,
    format_period,
    format_rate,
    locale_of,
)
from billing.money import EXPONENTS, Money
from billing.periods import Period
from proecommerce import charts

register = template.Library()

TONES = {
    "good": "active paid succeeded done connected success issued delivered complete completed verified",
    "warn": "unknown parked needs_action requires_action paused retrying suspended expiring disputed partial",
    "bad": "overdue failed past_due declined error uncollectible rejected bounced lost terminated",
    "info": "open sent running processing queued waiting created scheduled pending trialing new invited",
}
TONE_OF = {status: tone for tone, statuses in TONES.items() for status in statuses.split()}
MESSAGE_TONES = {"success": "good", "error": "bad", "warning": "warn"}
NOTICE_ICONS = {"good": "check-circle", "bad": "exclamation-circle", "warn": "exclamation-triangle"}


def _locale() -> str:
    return get_language() or "en"


# Figures and days


def _money(value: object, currency: str) -> Money | None:
    if isinstance(value, Money):
        return value
    if isinstance(value, tuple | list) and len(value) == 2:
        return Money(value[0], value[1])
    if isinstance(value, int) and currency:
        return Money(value, currency)
    return None


@register.filter
def money(value: object, currency: str = "") -> str:
    """Write Money, (minor, currency), or minor units with their currency: `{{ due|money:"EUR" }}`."""
    amount = _money(value, currency)
    return "" if amount is None else format_money(amount, _locale())


@register.filter
def day(value: date | None, length: str = "medium") -> str:
    """`Dec 4, 2026`; an instant gives its day in the current time zone."""
    if not value:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return format_date(value, _locale(), length)  # type: ignore[arg-type]


@register.filter
def short_day(value: date | None) -> str:
    """`Dec 4`: for lists in which the year is clear."""
    return format_skeleton("MMMd", value, locale=locale_of(_locale())) if value else ""


@register.filter
def month(value: date | None) -> str:
    """`Dec 2026`."""
    return format_skeleton("yMMM", value, locale=locale_of(_locale())) if value else ""


@register.filter
def moment(value: datetime | None) -> SafeString:
    """An instant in the current time zone as a <time>, its zone in the title."""
    if not value:
        return mark_safe("")
    local, locale = timezone.localtime(value), locale_of(_locale())
    clock = format_time(local, "short", tzinfo=local.tzinfo, locale=locale)
    said = f"{format_date(local.date(), _locale())}, {clock}"
    zoned = f"{said} {local.tzname()}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat("T", "seconds"), zoned, said
    )


@register.filter
def period(value: Period | None) -> str:
    """`Dec 4, 2026 – Jan 3, 2027`."""
    return format_period(value, _locale()) if value else ""


@register.filter
def count(value: int | None) -> str:
    """`12,345`."""
    return format_number(value, _locale()) if value is not None else ""


@register.filter
def rate(value: int | None) -> str:
    """A rate in parts per million: `19%`."""
    return format_rate(value, _locale()) if value is not None else ""


# Marks


@lru_cache(maxsize=512)
def _icon(name: str, size: int) -> SafeString:
    style = "micro" if size <= 16 else "mini" if size <= 20 else "outline"
    return mark_safe(heroicons._render_icon(style, name, size, {}))  # noqa: S308 — drawings of a package


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """A heroicon, hidden from assistive technology: words stand beside it."""
    return _icon(str(name), size)


@register.simple_tag
def badge(status: object, label: str = "", tone: str = "") -> SafeString:
    """A state in words and colour. Knows the tone of usual states; `label` and `tone` overrule."""
    value = str(getattr(status, "value", status))
    words = label or str(getattr(status, "label", "")) or value.replace("_", " ").capitalize()
    return format_html('<span class="badge {}">{}</span>', tone or TONE_OF.get(value, ""), words)


@register.filter
def tone(level: str) -> str:
    """The tone of a message's level."""
    return MESSAGE_TONES.get(level, "info")


@register.filter
def tone_icon(name: str) -> str:
    return NOTICE_ICONS.get(name, "information-circle")


@register.filter
def initial(name: object) -> str:
    return (str(name).strip()[:1] or "P").upper()


# Forms


@register.inclusion_tag("partials/field.html")
def field(
    bound: BoundField,
    label: str = "",
    help: str = "",  # noqa: A002 — the word that templates use
    prefix: str = "",
    suffix: str = "",
) -> dict[str, Any]:
    """A field with label, help and errors, tied together for assistive technology."""
    widget = bound.field.widget
    words = help or bound.help_text
    described = [
        f"{bound.auto_id}_{part}" for part, there in (("help", words), ("error", bound.errors)) if there
    ]
    attrs: dict[str, str | bool] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attrs["aria-invalid"] = "true"
    kind = "check" if isinstance(widget, CheckboxInput) else "set" if widget.use_fieldset else "plain"
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attrs if kind != "set" else {}),
        "described": " ".join(described),
        "kind": kind,
        "label": label or bound.label,
        "help": words,
        "prefix": prefix,
        "suffix": suffix,
        "optional": not bound.field.required and kind != "check",
    }


@register.inclusion_tag("partials/fields.html")
def fields(form: BaseForm, *names: str) -> dict[str, Any]:
    """All fields of a form, or those named in their order; hidden ones only with all."""
    visible = [form[name] for name in names] if names else form.visible_fields()
    return {"visible": visible, "hidden": [] if names else form.hidden_fields()}


@register.inclusion_tag("partials/error_summary.html")
def form_errors(*forms: BaseForm) -> dict[str, Any]:
    """The summary of what is wrong; it takes the focus. Nothing for forms without errors."""
    bound = [form for form in forms if form is not None]
    return {
        "general": [error for form in bound for error in form.non_field_errors()],
        "fields": [form[name] for form in bound for name in form.errors if name in form.fields],
    }


# Addresses and navigation


@register.simple_tag(takes_context=True)
def querystring(context: template.Context, **changes: object) -> str:
    """The request's query with changes; None or "" takes a key out."""
    request = context.get("request")
    query = request.GET.copy() if request else QueryDict(mutable=True)
    for key, value in changes.items():
        if value is None or value == "":
            query.pop(key, None)
        else:
            query[key] = str(value)
    return f"?{query.urlencode()}"


def _path(target: str) -> str:
    """An address, or the one of a URL's name; empty when this host has no such page."""
    if not target or target.startswith(("/", "?", "#", "http://", "https://", "mailto:")):
        return target
    try:
        return reverse(target)
    except NoReverseMatch:
        return ""


@register.inclusion_tag("partials/nav_item.html", takes_context=True)
def nav_item(context: template.Context, target: str, label: str, icon: str = "") -> dict[str, Any]:
    """A link of the navigation, marked when it is this page ("page") or the page lies below it ("true")."""
    path, request = _path(target), context.get("request")
    here = getattr(request, "path", "")
    root = target.endswith(":home") or target == "home"
    current = "page" if path and here == path else ""
    if path and not root and not current and here.startswith(path):
        current = "true"
    return {"path": path, "label": label, "icon": icon, "current": current}


@register.inclusion_tag("partials/breadcrumbs.html")
def breadcrumbs(*parts: object) -> dict[str, Any]:
    """`{% breadcrumbs "Customers" "manage:customers" name %}`: label, target, …, this page's label."""
    pairs = [(str(parts[at]), _path(str(parts[at + 1]))) for at in range(0, len(parts) - 1, 2)]
    return {"pairs": pairs, "here": str(parts[-1]) if len(parts) % 2 else ""}


@register.inclusion_tag("partials/pagination.html", takes_context=True)
def pagination(context: template.Context, page: Page[Any], noun: str = "entries") -> dict[str, Any]:
    """Which part of the list this is, and links to the others."""
    around = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    links = [
        (number, querystring(context, page=number) if isinstance(number, int) else "") for number in around
    ]
    return {
        "page": page,
        "noun": noun,
        "links": links if page.paginator.num_pages > 1 else [],
        "previous": querystring(context, page=page.number - 1) if page.has_previous() else "",
        "next": querystring(context, page=page.number + 1) if page.has_next() else "",
    }


@register.inclusion_tag("partials/tabs.html", takes_context=True)
def tabs(
    context: template.Context, choices: Sequence[Sequence[Any]], key: str = "status", label: str = "Show"
) -> dict[str, Any]:
    """Links that narrow a list by one query key; choices are (words, value) or (words, value, count)."""
    request = context.get("request")
    current = request.GET.get(key, "") if request else ""
    links = [
        {
            "words": words,
            "link": querystring(context, **{key: value, "page": None}),
            "here": str(value) == current,
            "count": rest[0] if rest else None,
        }
        for words, value, *rest in choices
    ]
    return {"links": links, "label": label}


@register.simple_tag(takes_context=True)
def sort_link(context: template.Context, key: str, label: str, default: str = "") -> SafeString:
    """A column's heading that sorts by it, turning round at the second click; the view reads `sort`."""
    request = context.get("request")
    current = (request.GET.get("sort") if request else "") or default
    downwards = current == key
    arrow = " ↓" if current == f"-{key}" else " ↑" if downwards else ""
    link = querystring(context, sort=f"-{key}" if downwards else key, page=None)
    return format_html('<a href="{}">{}{}</a>', link, label, arrow)


# Charts


def _write(currency: str) -> charts.Write:
    locale = _locale()
    return lambda value: (
        format_money(Money(value, currency), locale) if currency else format_number(value, locale)
    )


def _write_short(currency: str) -> charts.Write:
    """For the axis: `€12K`."""
    locale = locale_of(_locale())
    if not currency:
        return lambda value: str(format_compact_decimal(value, locale=locale, fraction_digits=1))
    shift = -EXPONENTS[currency]
    return lambda value: str(
        format_compact_currency(Decimal(value).scaleb(shift), currency, locale=locale, fraction_digits=1)
    )


@register.inclusion_tag("partials/chart.html")
def chart(chart: charts.Chart) -> dict[str, Any]:
    """A chart with its legend and the table of its figures under it."""
    write, short = _write(chart.currency), _write_short(chart.currency)
    plot = charts.draw(chart, write=write, unit=10 ** EXPONENTS.get(chart.currency, 0))
    return {
        "chart": chart,
        "svg": mark_safe(plot.svg),  # noqa: S308 — every text in it is escaped by proecommerce.charts
        "ticks": [short(tick) for tick in plot.ticks],
        "rows": [(label, [write(value) for value in values]) for label, values in chart.rows()],
    }


@register.simple_tag
def sparkline(values: Sequence[int], label: str) -> SafeString:
    """A line the size of a word; `label` says in words what it shows."""
    return mark_safe(charts.sparkline(values, label=label))  # noqa: S308 — escaped by proecommerce.charts
