import re
import shutil
import subprocess
import threading
from dataclasses import replace
from typing import Any

import pytest

from billing.documents import DocumentStatus, InvoiceDocument, Party, TaxSummaryLine
from billing.labels import LANGUAGES
from billing.money import Money
from billing.pdf import render
from tests.billing.documents.samples import (
    PAY_URL,
    SELLER,
    invoice,
    line,
    links_of,
    paid_invoice,
    png_logo,
    reader,
    text_of,
)

A4 = (595, 842)
LETTER = (612, 792)


def one_line_invoice(description: str, **changes: Any) -> InvoiceDocument:
    return invoice(lines=(line(description=description),), **changes)


def size_of(pdf: bytes) -> tuple[int, int]:
    box = reader(pdf).pages[0].mediabox
    return round(float(box.width)), round(float(box.height))


def test_an_invoice_says_who_what_when_and_how_much() -> None:
    text = text_of(render(invoice(seller=replace(SELLER, tax_id="DE123456789"))))
    for said in (
        "Invoice",
        "ACME-2026-000123",
        "Acme Hosting GmbH",
        "Müller & Söhne KG",
        "Attn Jörg Müller",
        "80331 München",
        "Tax ID DE123456789",
        "November 23, 2026",
        "December 7, 2026",
        "Dec 1 – 31, 2026",
        "Managed hosting 001",
        "server-001.example.net",
        "VAT 19% on €59.70",
        "€11.34",
        "€71.04 due on December 7, 2026",
        "Thank you for your business.",
        "Page 1 of 1",
    ):
        assert said in text, said


@pytest.mark.parametrize(
    ("locale", "title", "amount", "page"),
    [
        ("en-GB", "Invoice", "€71.04", "Page 1 of 1"),
        ("de-AT", "Rechnung", "€ 71,04", "Seite 1 von 1"),
        ("fr", "Facture", "71,04 €", "Page 1 sur 1"),
        ("es", "Factura", "71,04 €", "Página 1 de 1"),
        ("nl", "Factuur", "€ 71,04", "Pagina 1 van 1"),
    ],
)
def test_labels_and_money_follow_the_customers_language(
    locale: str, title: str, amount: str, page: str
) -> None:
    text = text_of(render(invoice(locale=locale)))
    assert title in text
    assert amount in text
    assert page in text


def test_a_language_without_labels_is_english_throughout() -> None:
    text = text_of(render(invoice(locale="he-IL")))
    assert "€71.04 due on 7 December 2026" in text


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_label_is_missing_and_placeholders_agree(language: str) -> None:
    english, other = LANGUAGES["en"], LANGUAGES[language]
    for name in english.__slots__:
        assert getattr(other, name).strip(), name
        fields = re.findall(r"{\w+}", getattr(english, name))
        assert sorted(re.findall(r"{\w+}", getattr(other, name))) == sorted(fields), name


@pytest.mark.parametrize(("currency", "total"), [("JPY", "¥7,104"), ("BHD", "BHD 7.104"), ("USD", "$71.04")])
def test_amounts_have_their_currencys_decimals(currency: str, total: str) -> None:
    assert total in text_of(render(invoice(currency=currency, locale="en-US")))


@pytest.mark.parametrize(
    ("country", "size"),
    [
        *((country, A4) for country in ("DE", "JP", "BR", "GB", "")),
        *((country, LETTER) for country in ("US", "CA", "MX", "PH", "CL", "CO", "VE", "us")),
    ],
)
def test_the_paper_is_the_one_of_the_sellers_country(country: str, size: tuple[int, int]) -> None:
    assert size_of(render(invoice(seller=replace(SELLER, country=country)))) == size


def test_the_pay_link_can_be_clicked_and_scanned_only_while_something_is_due() -> None:
    open_, paid = render(invoice()), render(paid_invoice())
    assert links_of(open_) == {PAY_URL}
    assert "Scan to pay" in text_of(open_)
    assert links_of(paid) == set()
    assert "Scan to pay" not in text_of(paid)


def test_a_pay_link_must_be_a_web_address() -> None:
    with pytest.raises(ValueError, match="web address"):
        render(invoice(pay_url="javascript:alert(1)"))


@pytest.mark.parametrize(
    ("status", "badge", "sentence"),
    [
        (DocumentStatus.DRAFT, "Draft", "This is a draft. Nothing is due yet."),
        (DocumentStatus.VOID, "Void", "This invoice is void. Nothing is due."),
    ],
)
def test_what_is_not_owed_says_so(status: DocumentStatus, badge: str, sentence: str) -> None:
    text = text_of(render(invoice(status=status)))
    assert badge in text
    assert sentence in text
    assert "Amount due" not in text


def test_a_paid_invoice_says_when_and_that_nothing_is_left() -> None:
    text = text_of(render(paid_invoice()))
    assert "Paid in full. Thank you." in text
    assert "Already paid (Dec 3, 2026)" in text
    assert re.search(r"Amount due\s+€0\.00", text)


def test_a_part_paid_invoice_asks_for_the_rest() -> None:
    text = text_of(render(invoice(amount_paid=Money(2104, "EUR"), amount_due=Money(5000, "EUR"))))
    assert "€50.00 due on December 7, 2026" in text


def test_tax_inside_the_prices_is_told_below_the_total() -> None:
    taxes = (
        TaxSummaryLine(
            name="VAT",
            rate_ppm=77_000,
            base=Money(1000, "EUR"),
            amount=Money(77, "EUR"),
            note="Reverse charge: the customer owes the tax.",
        ),
    )
    text = text_of(render(invoice(taxes=taxes, prices_include_tax=True)))
    assert "including VAT 7.7% on €10.00" in text
    assert "Reverse charge: the customer owes the tax." in text
    assert "Subtotal" not in text


def test_120_lines_run_over_pages_with_the_header_repeated_and_pages_counted() -> None:
    pdf = render(invoice(positions=120))
    pages = [page.extract_text() for page in reader(pdf).pages]
    assert 5 <= len(pages) <= 9
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in text
        assert "Description" in text
        assert ("ACME-2026-000123, continued" in text) == (number > 1)
    whole = "\n".join(pages)
    assert [n for n in range(1, 121) if f"Managed hosting {n:03d}" not in whole] == []
    assert "Amount due" in pages[-1]


def test_a_description_longer_than_a_page_is_printed_whole() -> None:
    words = [f"word{n:04d}" for n in range(1500)]
    text = text_of(render(one_line_invoice(" ".join(words))))
    assert [word for word in words if word not in text] == []


NAMES = {
    "Latin": ("Żółć Łódź Ðuro Ştefan ỳ", "PL"),
    "Greek": ("Παράδειγμα Α.Ε.", "GR"),
    "Cyrillic": ("ООО Пример Їжак", "UA"),
    "Japanese": ("株式会社サンプル", "JP"),
    "Chinese": ("北京示例科技有限公司", "CN"),
    "Traditional Chinese": ("臺灣範例股份有限公司", "TW"),
    "Korean": ("주식회사 예시", "KR"),
    "Arabic": ("شركة التقنية المتقدمة", "SA"),
    "Hebrew": ("חברת הדוגמה", "IL"),
    "Thai": ("บริษัท ตัวอย่าง จำกัด", "TH"),
    "Devanagari": ("उदाहरण प्राइवेट", "IN"),
    "Bengali": ("উদাহরণ", "BD"),
    "Tamil": ("எடுத்துக்காட்டு", "IN"),
    "Georgian": ("მაგალითი", "GE"),
    "Armenian": ("Օրինակ", "AM"),
}
# pypdf gives the shapes of these besides their letters; their words are checked by the reader of poppler.
SHAPED = {"Thai", "Devanagari", "Bengali", "Tamil"}


@pytest.mark.parametrize("script", sorted(NAMES))
def test_names_of_every_script_are_set_and_can_be_read_back(script: str) -> None:
    name, country = NAMES[script]
    pdf = render(one_line_invoice(name, buyer=Party(name=name, address_lines=(name,), country=country)))
    text = text_of(pdf)
    if script in SHAPED:
        assert set(name) - set(text) == set()
    else:
        assert [word for word in name.split() if word not in text] == []
    assert b"pdfaid" in pdf, "a character without a face costs the claim to the standard"


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils")
@pytest.mark.parametrize("script", ["Thai", "Devanagari", "Hebrew", "Japanese"])
def test_shaped_words_are_whole_in_an_independent_reader(script: str) -> None:
    name, country = NAMES[script]
    pdf = render(invoice(buyer=Party(name=name, country=country)))
    out = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    assert name in out


HOSTILE = '#panic("x") #import "@preview/a:0.3.0" #read("/etc") $x$ *b* _i_ `c` = H [a](b) <l> @r \\ // "q"'


def test_markup_in_a_name_is_printed_as_it_was_typed() -> None:
    pdf = render(one_line_invoice(HOSTILE, buyer=Party(name=HOSTILE), notes=HOSTILE))
    squeezed = re.sub(r"[\s\u200b]", "", text_of(pdf))
    assert squeezed.count(re.sub(r"\s", "", HOSTILE)) >= 3
    assert b"pdfaid" in pdf


def test_direction_overrides_and_control_characters_do_not_reach_the_page() -> None:
    text = text_of(render(one_line_invoice("pay \u202e00.001\u202c now\u2066\x00\x08\x1b[2J\u200f end")))
    assert "pay 00.001 now[2J end" in text


@pytest.mark.parametrize(
    "name", ["👩‍💻 Emoji 🇩🇪", "\ud800 lone", "\ue000 private", "\U000e0041tag", "e\u0301" * 50]
)
def test_odd_characters_never_hold_up_an_invoice(name: str) -> None:
    assert render(invoice(buyer=Party(name=name))).startswith(b"%PDF-")


def test_a_script_without_a_face_still_gives_a_document() -> None:
    assert render(invoice(buyer=Party(name="𒀭𒂗𒍪"))).startswith(b"%PDF-")


def test_words_without_end_are_broken_into_lines() -> None:
    pdf = render(one_line_invoice("w" * 500, buyer=Party(name="x" * 400), number="N" * 60))
    lines = text_of(pdf).splitlines()
    assert max(len(shown) for shown in lines if set(shown) == {"w"}) < 60
    assert max(len(shown) for shown in lines if set(shown) == {"x"}) < 36
    assert sum(len(shown) for shown in lines if set(shown) == {"w"}) == 500


@pytest.mark.parametrize(
    "logo",
    [
        b"",
        b"not a picture",
        png_logo()[:100],
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='/etc/passwd'/></svg>",
        b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'>&a;</svg>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><rect",
        b"<svg",
    ],
)
def test_a_bad_logo_is_left_out(logo: bytes) -> None:
    pdf = render(invoice(logo=logo))
    assert b"pdfaid" in pdf
    assert "Acme Hosting GmbH" in text_of(pdf)


@pytest.mark.parametrize(
    "logo",
    [
        png_logo(),
        png_logo(3000, 1000),
        b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 10'><rect width='40' height='10'/></svg>",
    ],
)
def test_a_logo_is_drawn_and_described(logo: bytes) -> None:
    pdf = render(invoice(logo=logo))
    assert b"pdfaid" in pdf
    assert b"Logo of Acme Hosting GmbH" in _objects(pdf)


def _objects(pdf: bytes) -> bytes:
    """All dictionaries of the file as text, streams of objects unpacked."""
    source = reader(pdf)
    return b"\n".join(
        str(source.get_object(number)).encode("utf-8", "replace")
        for number in range(1, int(str(source.trailer["/Size"])))
    )


def test_the_document_is_tagged_titled_and_claims_its_standards() -> None:
    pdf = render(invoice(locale="de"))
    root: Any = reader(pdf).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "de"
    metadata = root["/Metadata"].get_object().get_data().decode()
    for claim in ("<pdfaid:part>3<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<"):
        assert claim in metadata
    assert reader(pdf).metadata is not None
    assert reader(pdf).metadata.title == "Rechnung ACME-2026-000123"  # type: ignore[union-attr]


def test_all_fonts_are_embedded() -> None:
    objects = _objects(render(invoice()))
    fonts = objects.count(b"'/Type': '/FontDescriptor'")
    assert fonts >= 2
    assert objects.count(b"'/FontFile2'") + objects.count(b"'/FontFile3'") == fonts


def test_the_same_document_gives_the_same_bytes_in_any_thread() -> None:
    documents = [invoice(number=f"N-{n}", logo=png_logo()) for n in range(4)]
    expected = [render(document) for document in documents]
    results: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda n=n: results.__setitem__(n, render(documents[n % 4])))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [results[n] for n in range(12)] == [expected[n % 4] for n in range(12)]
    assert len(set(expected)) == 4


def test_a_plain_invoice_is_small() -> None:
    assert len(render(invoice(number="N-1", logo=png_logo()))) <= 60_000


def test_a_document_without_due_date_period_or_tax_leaves_them_out() -> None:
    bare = line(unit_price=None, period=None, tax_label="", detail="")
    text = text_of(render(invoice(due_date=None, taxes=(), lines=(bare,))))
    assert "€71.04 due" in text
    for absent in ("Due date", "Service period", "Unit price", "Qty", "Subtotal"):
        assert absent not in text, absent


def test_places_to_break_leave_no_trace_in_the_text() -> None:
    pdf = render(one_line_invoice("f" * 60, pay_url=PAY_URL + "f" * 40))
    assert "\u200b" not in text_of(pdf)
    assert links_of(pdf) == {PAY_URL + "f" * 40}
