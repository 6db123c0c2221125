import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.colours import DEFAULT_BRAND, brand, contrast
from billing.text import breakable, clean, clean_line, file_stem


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_line(clean_line(text)) == clean_line(text)
    clean(text).encode()


@given(st.text(max_size=200))
def test_making_words_breakable_adds_nothing_but_places_to_break(text: str) -> None:
    assert breakable(text).replace("\u200b", "") == text.replace("\u200b", "")


def test_joiners_that_scripts_need_are_kept() -> None:
    assert clean("می\u200cخواهم क\u094d\u200dष") == "می\u200cخواهم क\u094d\u200dष"


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("Invoice-ACME/2026", "Invoice-ACME-2026"),
        ("../../etc", "etc"),
        ("株式会社", "document"),
        ("Açaí 1", "Acai-1"),
    ],
)
def test_a_file_stem_is_a_plain_name(text: str, stem: str) -> None:
    assert file_stem(text) == stem


@given(st.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
def test_every_brand_can_be_read(colour: str) -> None:
    chosen = brand(colour)
    assert chosen.fill == colour
    assert contrast(chosen.fill, chosen.on_fill) >= 4.5
    assert contrast(chosen.ink, "#ffffff") >= 4.5


@pytest.mark.parametrize("colour", ["", "red", "#fff", "#12345g", "#123456;}", "#123456\n"])
def test_what_is_no_colour_is_the_default(colour: str) -> None:
    assert brand(colour).fill == DEFAULT_BRAND
