"""Attacks S1–S4: where the server is made to connect, and what it is given to keep and to show."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from billing.models import BillingSettings
from billing.pdf import render
from tenants.outgoing import OutgoingFailed, OutgoingRefused, fetch
from tests.billing.documents.samples import invoice, line, text_of
from tests.billing.portal import making
from tests.tenants.test_outgoing import DISGUISED, WRONG, Inside, Leading, inside

__all__ = ["inside"]
BRAND = "/manage/settings/brand/"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" {}>{}</svg>'


@pytest.fixture
def owner(tenant: Any) -> Client:
    from tests import logging_in

    client = Client(HTTP_HOST="alpha.localhost")
    logging_in.enter(client, making.person("owner@alpha.example", "owner"))
    return client


def test_s1_no_address_leads_the_server_inside(inside: Inside) -> None:
    """Metadata, loopback in every spelling, other schemes, a redirect, a name that changes its answer."""
    for url in [*DISGUISED, *WRONG]:
        with pytest.raises((OutgoingRefused, OutgoingFailed)):
            fetch(url, most=100)
    for address in ("169.254.169.254", "::1", "10.0.0.1", "::ffff:127.0.0.1", "fd00:ec2::254"):
        with pytest.raises(OutgoingRefused):
            fetch("http://a.example/", most=9, resolving=lambda *_, a=address: ["8.8.8.8", a],
                  network=Leading(inside))  # fmt: skip
    assert inside.asked == inside.dialled == []
    inside.answer = (302, {"Location": "http://169.254.169.254/"}, b"")
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])  # rebinding: the second question gets another answer
    fetch("http://r.example/", most=9, resolving=lambda *_: next(answers), network=Leading(inside))
    assert inside.dialled == ["8.8.8.8:80"] and len(inside.asked) == 1


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "169.254.169.254", "localhost", "[::1]", "a.localhost", "metadata"]
)
def test_s1_a_tenant_claims_no_address_inside(owner: Client, host: str) -> None:
    answer = owner.post("/manage/settings/hosts/", {"hostname": host})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "words",
    [
        '#read("/etc/passwd")', '#image("file:///etc/passwd")', '<iframe src="file:///etc/passwd">',
        '#import "@preview/x:1.0.0"',
        "#sys.inputs", '<img src="http://169.254.169.254/">', "../../etc/passwd",
    ],
)  # fmt: skip
def test_s2_a_document_reads_no_file_and_no_address(words: str) -> None:
    """What people write into an invoice is printed as it stands."""
    said = "".join(text_of(render(invoice(lines=(line(description=words),)))).split())
    assert "".join(words.split()) in said
    assert "root:" not in said


def picture(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "#336699").save(out, format=kind)
    return out.getvalue()


def flood(side: int) -> bytes:
    """A PNG of a few kilobytes that claims so many pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def send(client: Client, data: bytes, name: str = "logo.png", kind: str = "image/png") -> Any:
    return client.post(BRAND, {"brand_colour": "#aa0000", "logo": SimpleUploadedFile(name, data, kind)})


HOSTILE: dict[str, Callable[[], bytes]] = {
    "pixel flood": lambda: flood(100_000),
    "page": lambda: b"<!doctype html><script>alert(1)</script>",
    "program": lambda: b"<?php system($_GET['x']); ?>",
    "archive": lambda: b"PK\x03\x04" + b"\0" * 100,
    "polyglot": lambda: b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    "script": lambda: SVG.format("", "<script>1</script>").encode(),
    "file": lambda: SVG.format("", "<image href='file:///etc/passwd'/>").encode(),
    "style": lambda: SVG.format("", "<style>@import url(//evil.example)</style>").encode(),
    "too large": lambda: b"x" * (600 * 1024),
}


def test_s3_what_is_no_plain_picture_is_refused_and_names_mean_nothing(owner: Client) -> None:
    for what, make in HOSTILE.items():
        assert send(owner, make()).status_code == 422, what
        assert BillingSettings.objects.get().logo is None, what
    for name in ("../../etc/passwd", "logo.php", "logo.png.html", "a\x00.png", "<b>.svg"):
        assert send(owner, picture("JPEG"), name, "text/html").status_code == 302, name
        assert BillingSettings.objects.get().logo_type == "image/jpeg"


def test_s3_an_imported_file_is_read_as_text_within_bounds(owner: Client) -> None:
    """A zip bomb, a path as its name, bytes that are no text, a megabyte in one cell."""
    head = b"external_id,name,email,phone,address_line1,city,state,postal_code,country,tax_id,currency\n"
    for data in (b"PK\x03\x04" + zlib.compress(b"\0" * 10_000_000), b"\xff\xfe\x00\xd8" * 50,
                 head + b"C-1," + b"x" * 1_000_000 + b",a@b.example,,,,,,DE,,EUR\n"):  # fmt: skip
        sent = owner.post("/manage/import/", {"customers": SimpleUploadedFile("../../x.csv", data)})
        if sent.status_code == 302:
            assert owner.post(sent["Location"]).status_code == 422
        else:
            assert sent.status_code == 422


def test_s4_files_are_served_as_what_they_are_and_can_do_nothing(owner: Client) -> None:
    assert send(owner, picture() + b"<script>canary</script>").status_code == 302
    logo = owner.get("/brand/logo/")
    assert b"canary" not in logo.content
    assert logo["X-Content-Type-Options"] == "nosniff" and logo["Content-Type"].startswith("image/")
    policy = logo["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "script-src" not in policy
    bill = making.invoice(making.account().customer, due=making.TODAY)
    pdf = owner.get(f"/manage/invoices/{bill.pk}/pdf/")
    assert pdf["Content-Disposition"].startswith("attachment")
    assert (pdf["Content-Type"], pdf["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
