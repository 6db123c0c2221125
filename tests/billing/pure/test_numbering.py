"""Numbering: only what is known stands in a number, and two counters never make the same one."""

from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billing.numbering import MAX_N, NumberingError, check_prefix, parse, render, series_key

DEFAULT = "{prefix}-{year}-{n:06d}"
DAY = date(2026, 12, 1)

literals = st.text(st.sampled_from("AZaz019._-"), max_size=4)
counters = st.sampled_from(["{n}", "{n:01d}", "{n:03d}", "{n:06d}"])
dated = st.sampled_from([[], ["{year}"], ["{year}", "{month}"]])


@st.composite
def templates(draw: st.DrawFn) -> str:
    fields = [draw(counters), *draw(dated), *draw(st.sampled_from([[], ["{prefix}"]]))]
    return draw(literals) + "".join(field + draw(literals) for field in draw(st.permutations(fields)))


ns = st.integers(1, 2000) | st.integers(1, MAX_N)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@given(templates(), days, days, ns, ns)
def test_no_two_draws_of_a_tenant_make_the_same_number(
    template: str, a: date, b: date, n: int, m: int
) -> None:
    """Two draws differ in the counter, or come from counters of different years: then the numbers differ."""
    same_series = series_key(template, "AC", a) == series_key(template, "AC", b)
    assume(not (same_series and n == m))
    assert render(template, "AC", a, n) != render(template, "AC", b, m)


@given(st.text(st.sampled_from("{}pnyear:06d!.-[]%_ \n"), max_size=14))
def test_any_text_is_a_template_or_refused_with_a_reason(text: str) -> None:
    try:
        parse(text)
    except NumberingError as refusal:
        shown = str(refusal)
    else:
        shown = render(text, "AC", DAY, 7)
    assert shown.isprintable()
    assert shown


@pytest.mark.parametrize(
    ("template", "number"),
    [
        (DEFAULT, "ACME-2026-000123"),
        ("{n}", "123"),
        ("{n:02d}", "123"),
        ("{n:012d}", "000000000123"),
        ("RE_{year}.{month}.{n:04d}", "RE_2026.12.0123"),
        ("{prefix}{n}", "ACME123"),
    ],
)
def test_numbers_are_rendered(template: str, number: str) -> None:
    assert render(template, "ACME", DAY, 123) == number


def test_month_and_year_are_padded() -> None:
    assert render("{year}{month}-{n}", "A", date(987, 3, 1), 1) == "098703-1"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "1 to 60 characters"),
        ("x" * 61, "1 to 60 characters"),
        ("{prefix}-{year}", "needs the counter"),
        ("INV", "needs the counter"),
        ("{n}{n}", "only once"),
        ("{year}-{year}-{n}", "only once"),
        ("{n}-{month}", "needs {year}"),
        ("{day}-{n}", "is not a field"),
        ("{}-{n}", "is not a field"),
        ("{0}-{n}", "is not a field"),
        ("{n.real}", "is not a field"),
        ("{n.__class__.__mro__}", "is not a field"),
        ("{prefix[0]}{n}", "is not a field"),
        ("{prefix!r}{n}", "is not a field"),
        ("{n:6d}", "is not a field"),
        ("{n:06x}", "is not a field"),
        ("{n:006d}", "is not a field"),
        ("{n:0d}", "is not a field"),
        ("{n:0６d}", "is not a field"),
        ("{N}", "is not a field"),
        ("{ n }", "is not a field"),
        ("{n:099d}", "at most 12 digits"),
        ("{year:04d}-{n}", "takes no width"),
        ("{prefix:06d}-{n}", "takes no width"),
        ("{{n}}", "cannot stand"),
        ("{n", "cannot stand"),
        ("n}", "cannot stand"),
        ("%s{n}", "cannot stand"),
        ("a/{n}", "cannot stand"),
        ("a {n}", "cannot stand"),
        ("é{n}", "cannot stand"),
        ("{n}\n", "cannot stand"),
    ],
)
def test_a_strange_template_is_refused_with_its_reason(template: str, reason: str) -> None:
    with pytest.raises(NumberingError, match=reason):
        parse(template)


@pytest.mark.parametrize("prefix", ["", "A" * 21, "A B", "{n}", "../x", "Ä", "A\n", "A/B"])
def test_a_strange_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(NumberingError, match="prefix"):
        check_prefix(prefix)
    with pytest.raises(NumberingError, match="prefix"):
        render(DEFAULT, prefix, DAY, 1)


@pytest.mark.parametrize("n", [0, -1, MAX_N + 1, 1.0, "1", None, True])
def test_a_counter_counts_from_one(n: int) -> None:
    with pytest.raises(NumberingError, match="counter"):
        render(DEFAULT, "ACME", DAY, n)


@pytest.mark.parametrize(
    ("template", "key"),
    [
        (DEFAULT, "ACME/2026"),
        ("{prefix}-{n}", "ACME/"),
        ("{year}-{n}", "/2026"),
        ("{n}", "/"),
        ("{prefix}{year}{month}{n}", "ACME/2026"),
    ],
)
def test_a_counter_is_named_by_what_stands_in_the_number(template: str, key: str) -> None:
    assert series_key(template, "ACME", DAY) == key


def test_a_counter_resets_with_the_year_iff_the_year_is_in_the_number() -> None:
    december, january = date(2026, 12, 31), date(2027, 1, 1)
    assert series_key(DEFAULT, "ACME", december) != series_key(DEFAULT, "ACME", january)
    assert series_key("{prefix}-{n}", "ACME", december) == series_key("{prefix}-{n}", "ACME", january)
    monthly = "{year}-{month}-{n}"
    assert series_key(monthly, "ACME", date(2026, 11, 1)) == series_key(monthly, "ACME", december)


def test_the_longest_number_and_key_fit_their_columns() -> None:
    template = "{prefix}{year}{month}{n:012d}" + "x" * 31
    assert len(template) == 60
    assert len(render(template, "P" * 20, DAY, MAX_N)) <= 80
    assert len(series_key(template, "P" * 20, DAY)) <= 60
