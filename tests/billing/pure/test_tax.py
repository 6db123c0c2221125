"""Tax: lines, rates and document say the same figure, whatever stands on it."""

import random
from fractions import Fraction
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import round_half_up
from billing.tax import (
    ONE,
    UNTAXED,
    Line,
    TaxedLine,
    TaxError,
    TaxGroup,
    TaxRule,
    TaxTable,
    Totals,
    by_rate,
    compute,
    parse_percent,
)

RATES = [0, 25_000, 50_000, 70_000, 77_000, 88_750, 190_000, 200_000, 255_000, 333_333, ONE]
rules = st.builds(
    TaxRule, st.sampled_from(RATES) | st.integers(0, ONE), st.sampled_from(["VAT", "GST"]), st.booleans()
)
amounts = st.integers(-(10**9), 10**9) | st.integers(-20, 20)
documents = st.lists(st.builds(Line, amounts, rules), max_size=25)
# Few rules, many lines: the documents on which the sharing of cents matters.
crowded = st.lists(
    st.builds(
        Line, st.integers(-9, 99), st.sampled_from([TaxRule(190_000, "VAT"), TaxRule(190_000, "VAT", True)])
    ),
    max_size=40,
)


def assert_adds_up(lines: list[Line], totals: Totals) -> None:
    """The whole promise, line by line and rate by rate, recomputed another way."""
    assert len(totals.lines) == len(lines)
    for line, taxed in zip(lines, totals.lines, strict=True):
        assert taxed.net + taxed.tax == taxed.gross
        assert taxed.rule == line.rule
        assert (taxed.gross if line.rule.inclusive else taxed.net) == line.amount
        base = ONE + line.rule.rate_ppm if line.rule.inclusive else ONE
        assert abs(taxed.tax - Fraction(line.amount * line.rule.rate_ppm, base)) < 1
    assert len({group.rule for group in totals.groups}) == len(totals.groups)
    for group in totals.groups:
        members = [taxed for taxed in totals.lines if taxed.rule == group.rule]
        assert group.net == sum(taxed.net for taxed in members)
        assert group.tax == sum(taxed.tax for taxed in members)
        assert group.gross == sum(taxed.gross for taxed in members) == group.net + group.tax
        rate = group.rule.rate_ppm
        if group.rule.inclusive:
            assert group.tax == round_half_up(group.gross * rate, ONE + rate)
        else:
            assert group.tax == round_half_up(group.net * rate, ONE)
    assert totals.net == sum(group.net for group in totals.groups)
    assert totals.tax == sum(group.tax for group in totals.groups)
    assert totals.gross == totals.net + totals.tax == sum(group.gross for group in totals.groups)


@given(documents | crowded)
def test_lines_rates_and_totals_always_agree(lines: list[Line]) -> None:
    assert_adds_up(lines, compute(lines))


@given(documents | crowded)
def test_a_credit_of_everything_mirrors_the_invoice(lines: list[Line]) -> None:
    totals, mirrored = compute(lines), compute([Line(-line.amount, line.rule) for line in lines])
    assert (mirrored.net, mirrored.tax, mirrored.gross) == (-totals.net, -totals.tax, -totals.gross)
    for taxed, credit in zip(totals.lines, mirrored.lines, strict=True):
        assert (credit.net, credit.tax, credit.gross) == (-taxed.net, -taxed.tax, -taxed.gross)


@given(st.builds(Line, amounts, rules))
def test_one_line_is_taxed_as_it_would_be_among_others(line: Line) -> None:
    alone, beside = compute([line]), compute([line, Line(0, TaxRule(1, "other"))])
    assert alone.lines[0] == beside.lines[0]
    assert alone.groups[0] == beside.groups[0]
    assert (alone.net, alone.tax, alone.gross) == (beside.net, beside.tax, beside.gross)


@given(st.integers(0, 10**9), rules)
def test_tax_on_a_charge_is_never_negative_nor_above_it(amount: int, rule: TaxRule) -> None:
    taxed = compute([Line(amount, rule)]).lines[0]
    assert 0 <= taxed.tax <= taxed.gross
    assert taxed.net >= 0


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.integers(0, ONE))
def test_a_document_is_never_more_than_half_a_unit_off_the_exact_tax(amounts: list[int], rate: int) -> None:
    """Rounding farming (many lines of half a cent each) earns nothing: a rate is rounded once a document."""
    totals = compute([Line(amount, TaxRule(rate)) for amount in amounts])
    assert abs(totals.tax - Fraction(sum(amounts) * rate, ONE)) <= Fraction(1, 2)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_random_invoices_add_up(count: int) -> None:
    rng = random.Random(20261123)
    pool = [
        TaxRule(rate, name, inclusive) for rate in RATES for name in ("a", "b") for inclusive in (False, True)
    ]
    for _ in range(count):
        chosen = rng.sample(pool, rng.randint(1, 3))
        top = 10 ** rng.randint(1, 9)  # yen, cents and fils alike: a unit is a unit
        lines = [Line(rng.randint(0, top), rng.choice(chosen)) for _ in range(rng.randint(1, 6))]
        totals = compute(lines)
        assert totals.gross == totals.net + totals.tax
        assert (
            totals.net == sum(line.net for line in totals.lines) == sum(group.net for group in totals.groups)
        )
        assert (
            totals.tax == sum(line.tax for line in totals.lines) == sum(group.tax for group in totals.groups)
        )
        assert totals.gross == sum(line.gross for line in totals.lines)
        assert all(line.net + line.tax == line.gross for line in totals.lines)


def test_exclusive_tax_is_added() -> None:
    rule = TaxRule(190_000, "VAT")
    assert compute([Line(2490, rule)]) == Totals(
        (TaxedLine(2490, 473, 2963, rule),), (TaxGroup(rule, 2490, 473, 2963),), 2490, 473, 2963
    )


def test_inclusive_tax_is_taken_out() -> None:
    rule = TaxRule(190_000, "VAT", inclusive=True)
    assert compute([Line(2490, rule)]).lines == (TaxedLine(2092, 398, 2490, rule),)


def test_lines_share_a_rates_tax_by_the_largest_remainder() -> None:
    rule = TaxRule(190_000, "VAT")
    totals = compute([Line(amount, rule) for amount in (10, 10, 13)])  # 1.9, 1.9 and 2.47: together 6.27
    assert [line.tax for line in totals.lines] == [2, 2, 2]
    assert totals.tax == 6
    halves = compute([Line(50, TaxRule(10_000)) for _ in range(4)])  # 0.5 each
    assert [line.tax for line in halves.lines] == [1, 1, 0, 0]


def test_a_discount_lowers_the_tax_of_its_rate() -> None:
    rule = TaxRule(200_000, "VAT")
    totals = compute([Line(1000, rule), Line(-1000, rule)])
    assert (totals.net, totals.tax, totals.gross) == (0, 0, 0)


def test_rates_stand_in_the_order_met() -> None:
    full, reduced = TaxRule(190_000, "VAT"), TaxRule(70_000, "VAT")
    totals = compute([Line(100, reduced), Line(100, full), Line(200, reduced)])
    assert [(group.rule, group.net, group.tax) for group in totals.groups] == [
        (reduced, 300, 21),
        (full, 100, 19),
    ]


def test_inclusive_and_exclusive_lines_of_a_rate_are_one_row_of_the_summary() -> None:
    net, gross = TaxRule(190_000, "VAT"), TaxRule(190_000, "VAT", inclusive=True)
    totals = compute([Line(1000, net), Line(1190, gross), Line(5, UNTAXED)])
    assert by_rate(totals.groups) == [TaxGroup(net, 2000, 380, 2380), TaxGroup(UNTAXED, 5, 0, 5)]


def test_no_lines_come_to_nothing() -> None:
    assert compute([]) == Totals((), (), 0, 0, 0)


@pytest.mark.parametrize("amount", [1.0, "1", None, True])
@pytest.mark.parametrize("count", [1, 2])
def test_amounts_are_ints(amount: int, count: int) -> None:
    with pytest.raises(TaxError):
        compute([Line(amount, UNTAXED)] * count)


@pytest.mark.parametrize("rate", [-1, ONE + 1, 0.19, "19", None, True])
def test_a_rate_is_zero_to_a_hundred_percent(rate: int) -> None:
    with pytest.raises(TaxError):
        TaxRule(rate)


def test_rules_are_found_by_class_and_country_and_nothing_is_taxed_without() -> None:
    table = TaxTable(
        [
            ("standard", "DE", 190_000, "USt"),
            ("reduced", "DE", 70_000, "USt"),
            ("standard", "FR", 200_000, "TVA"),
        ]
    )
    assert table.rule_for("standard", "DE", inclusive=False) == TaxRule(190_000, "USt")
    assert table.rule_for("reduced", "DE", inclusive=True) == TaxRule(70_000, "USt", inclusive=True)
    assert table.rule_for("standard", "FR", inclusive=False) == TaxRule(200_000, "TVA")
    for nowhere in (("exempt", "DE"), ("standard", "US"), ("standard", ""), ("", "de")):
        assert table.rule_for(*nowhere, inclusive=False) == UNTAXED


def test_a_table_refuses_double_rates_and_what_is_no_country() -> None:
    with pytest.raises(TaxError, match="two rates"):
        TaxTable([("standard", "DE", 1, "a"), ("standard", "DE", 2, "b")])
    for country in ("", "de", "DEU", "D1", "ÄÖ"):
        with pytest.raises(TaxError, match="not a country"):
            TaxTable([("standard", country, 1, "a")])


@given(st.integers(0, ONE))
def test_a_rate_in_percent_reads_back(rate: int) -> None:
    assert parse_percent(TaxRule(rate).percent) == rate


@pytest.mark.parametrize(
    ("text", "rate"), [("19", 190_000), ("8.875", 88_750), ("0", 0), ("100", ONE), ("7.0", 70_000)]
)
def test_percent_is_read_as_parts_per_million(text: str, rate: int) -> None:
    assert parse_percent(text) == rate


@pytest.mark.parametrize(
    "text", ["", "-1", "100.0001", "101", "1e1", "19%", "8,875", "٨", "1.00001", "NaN", " 19", "019"]
)
def test_a_strange_percentage_is_refused(text: str) -> None:
    with pytest.raises(TaxError):
        parse_percent(text)


def test_taxing_is_quick_enough_for_the_invoice_run() -> None:
    rule, count = TaxRule(190_000, "VAT"), 3000
    single, pair = [Line(2490, rule)], [Line(2490, rule), Line(995, rule)]
    for document in (single, pair):
        best = min(_seconds(document, count) for _ in range(5))
        assert count / best > 10_000


def _seconds(document: list[Line], count: int) -> float:
    began = perf_counter()
    for _ in range(count):
        compute(document)
    return perf_counter() - began
