import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import engines
from django.test import RequestFactory
from django.utils import timezone, translation

from billing.models import Invoice
from billing.money import Money
from proecommerce.charts import Chart, Series


def draw(source: str, path: str = "/", **context: Any) -> str:
    request = RequestFactory().get(path)
    template = engines["django"].from_string(source)
    return re.sub(r"\s+", " ", template.render({"request": request, **context})).strip()


class Person(forms.Form):
    name = forms.CharField(help_text="As on invoices.")
    note = forms.CharField(required=False)
    kind = forms.ChoiceField(widget=forms.RadioSelect, choices=[("a", "A"), ("b", "B")])
    agreed = forms.BooleanField(label="Agreed", required=False)


@pytest.mark.parametrize(
    ("value", "source", "expected"),
    [
        (Money(123450, "EUR"), "{{ v|money }}", "€1,234.50"),
        (Money(0, "EUR"), "{{ v|money }}", "€0.00"),
        ((5000, "JPY"), "{{ v|money }}", "¥5,000"),
        (-1234, '{{ v|money:"USD" }}', "-$12.34"),
        (None, "{{ v|money }}", ""),
        (date(2026, 12, 4), "{{ v|day }} {{ v|short_day }} {{ v|month }}", "Dec 4, 2026 Dec 4 Dec 2026"),
        (None, "{{ v|day }}{{ v|moment }}{{ v|month }}{{ v|count }}", ""),
        (1234567, "{{ v|count }}", "1,234,567"),
        (190_000, "{{ v|rate }}", "19%"),
    ],
)
def test_figures_are_written_as_people_write_them(value: object, source: str, expected: str) -> None:
    assert draw(source, v=value) == expected


def test_figures_follow_the_language() -> None:
    with translation.override("de"):
        assert draw("{{ v|money }} {{ d|day }}", v=Money(123450, "EUR"), d=date(2026, 12, 4)) == (
            "1.234,50 € 04.12.2026"
        )


def test_an_instant_is_told_in_the_current_zone() -> None:
    instant = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        assert draw("{{ v|day }}", v=instant) == "Nov 23, 2026"
        assert draw("{{ v|moment }}", v=instant) == (
            '<time datetime="2026-11-23T00:30:00+01:00" title="Nov 23, 2026, 12:30 AM CET">'
            "Nov 23, 2026, 12:30 AM</time>"
        )


def test_a_badge_knows_the_tone_of_a_state_and_its_label() -> None:
    assert draw("{% badge s %}", s="needs_action") == '<span class="badge warn">Needs action</span>'
    assert draw("{% badge s %}", s=Invoice.Status.PAID) == '<span class="badge good">Paid</span>'
    assert draw('{% badge s label="3 days late" tone="bad" %}', s="x") == (
        '<span class="badge bad">3 days late</span>'
    )
    assert draw("{% badge s %}", s="<b>") == '<span class="badge ">&lt;b&gt;</span>'


def test_a_field_ties_label_help_and_errors_together() -> None:
    page = draw("{% field form.name %}", form=Person({}))
    assert '<label for="id_name">Name</label>' in page
    assert 'aria-describedby="id_name_help id_name_error"' in page
    assert 'aria-invalid="true"' in page
    assert '<p class="help" id="id_name_help">As on invoices.</p>' in page
    assert re.search(r'<div id="id_name_error">.*This field is required', page)


def test_what_may_stay_empty_says_so() -> None:
    assert "(optional)" in draw("{% field form.note %}", form=Person())
    assert "(optional)" not in draw("{% field form.name %}{% field form.agreed %}", form=Person())


def test_choices_stand_in_a_fieldset_with_their_error() -> None:
    page = draw("{% field form.kind %}", form=Person({}))
    assert '<fieldset class="field" id="id_kind_set" aria-describedby="id_kind_error">' in page
    assert "<legend>Kind</legend>" in page


def test_the_error_summary_links_to_each_field_and_takes_the_focus() -> None:
    page = draw("{% form_errors form %}", form=Person({}))
    assert re.findall(r'<a href="#(\w+)">', page) == ["id_name", "id_kind"]
    assert 'role="alert" tabindex="-1" autofocus' in page
    assert draw("{% form_errors form %}", form=Person()) == ""


def test_pages_keep_the_other_filters() -> None:
    page = draw("{% pagination page %}", "/?status=open&page=2", page=Paginator(range(95), 10).page(2))
    assert "11–20 of 95 entries" in page
    assert re.findall(r'href="([^"]+)"', page)[:2] == ["?status=open&amp;page=1", "?status=open&amp;page=1"]
    assert 'rel="next"' in page


def test_one_page_needs_no_links_and_none_needs_nothing() -> None:
    assert "<a" not in draw("{% pagination page %}", page=Paginator([1], 10).page(1))
    assert draw("{% pagination page %}", page=Paginator([], 10).page(1)) == ""


def test_a_query_is_changed_and_never_broken_out_of() -> None:
    assert draw("{% querystring page=2 q=None %}", "/?q=a&status=open") == "?status=open&amp;page=2"
    assert "<script" not in draw("{% querystring page=2 %}", "/?q=<script>")


def test_tabs_mark_the_one_that_is_shown_and_go_back_to_page_one() -> None:
    page = draw("{% tabs choices %}", "/?status=open&page=4", choices=[("All", ""), ("Open", "open", 1200)])
    assert page == (
        '<nav class="tabs" aria-label="Show"><a href="?">All</a>'
        '<a href="?status=open" aria-current="page">Open <span class="count">1,200</span></a></nav>'
    )


def test_a_column_sorts_up_then_down() -> None:
    assert draw('{% sort_link "due" "Due" %}', "/?page=3") == '<a href="?sort=due">Due</a>'
    assert draw('{% sort_link "due" "Due" %}', "/?sort=due") == '<a href="?sort=-due">Due ↑</a>'


def test_navigation_marks_the_page_and_its_section() -> None:
    entry = '{% nav_item "/invoices/" "Invoices" %}'
    assert draw(entry, "/invoices/") == '<a href="/invoices/" aria-current="page">Invoices</a>'
    assert draw(entry, "/invoices/7/") == '<a href="/invoices/" aria-current="true">Invoices</a>'
    assert draw(entry, "/cards/") == '<a href="/invoices/">Invoices</a>'


def test_navigation_leaves_out_what_a_host_does_not_have() -> None:
    assert draw('{% nav_item "nowhere:home" "Nowhere" %}') == ""


def test_breadcrumbs_end_in_this_page() -> None:
    page = draw('{% breadcrumbs "Customers" "/customers/" name %}', name="A & B")
    assert '<a href="/customers/">Customers</a>' in page
    assert '<span aria-current="page">A &amp; B</span>' in page


def test_a_chart_comes_with_the_table_of_its_figures() -> None:
    chart = Chart("bar", "Revenue", ["Nov 2026"], [Series("Paid", [125000])], currency="EUR")
    page = draw("{% chart c %}", c=chart)
    assert '<th scope="row">Nov 2026</th><td class="num">€1,250.00</td>' in page
    assert "<title>Nov 2026: €1,250.00</title>" in page
    assert re.findall(r"<li>(.*?)</li>", page) == ["€1.5K", "€1K", "€500", "€0"]


def test_the_error_page_needs_nothing() -> None:
    page = engines["django"].get_template("500.html").render()
    assert "<h1>Something broke on our side</h1>" in page


def test_the_summary_is_the_same_when_included() -> None:
    source = '{% include "partials/form_errors.html" %}'
    assert draw(source, form=Person({})) == draw("{% form_errors form %}", form=Person({}))
