"""Uploads are what their bytes say, never larger than they seem, and served as harmless pictures."""

import io
import struct
import time
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from billing.models import BillingSettings

BRAND = "/manage/settings/brand/"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#336699").save(out, format=kind)
    return out.getvalue()


def flood(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def send(client: Client, data: bytes, name: str = "logo.png", kind: str = "image/png") -> Any:
    logo = SimpleUploadedFile(name, data, content_type=kind)
    return client.post(BRAND, {"brand_colour": "#aa0000", "logo": logo})


SVG = '<svg xmlns="http://www.w3.org/2000/svg" {}>{}</svg>'


@pytest.mark.parametrize(
    "data",
    [
        flood(30_000, 30_000),
        flood(100_000, 100_000),
        b"<!doctype html><script>alert(1)</script>",
        b"<?php system($_GET['x']); ?>",
        b"%PDF-1.7 x",
        b"PK\x03\x04" + b"\0" * 100,
        b"GIF89a/*" + b"\0" * 40,
        b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
        b"\xff\xd8\xff<svg onload=alert(1)>",
        SVG.format("", "<script>1</script>").encode(),
        SVG.format("", "<image href='file:///etc/passwd'/>").encode(),
        SVG.format("", "<foreignObject><body/></foreignObject>").encode(),
        b"<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + SVG.format("", "&x;").encode(),
        SVG.format("", "<style>@import url(//evil.example)</style>").encode(),
        SVG.format('width="9" height="9" onload="alert(1)"', "").encode(),
        SVG.format("", "<path d='M0 0'/onclick=alert(1) />").encode(),
        SVG.format("", "<a href='#x' style='x:javascript:1'><path/></a>").encode(),
        b"x" * (600 * 1024),
    ],
    ids=range(18),
)
def test_what_is_no_plain_picture_is_refused_soon(owner: Client, data: bytes) -> None:
    began = time.monotonic()
    answer = send(owner, data)
    assert answer.status_code == 422
    assert time.monotonic() - began < 5
    assert BillingSettings.objects.get().logo is None


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "logo.php", "logo.png.html", "a\x00.png", "<b>.png", "ü" * 200]
)
def test_a_files_name_and_stated_type_mean_nothing(owner: Client, name: str) -> None:
    assert send(owner, picture("JPEG"), name, "text/html").status_code == 302
    assert BillingSettings.objects.get().logo_type == "image/jpeg"


@pytest.mark.parametrize("data", [picture(), SVG.format('width="9" height="9"', "<path d='M0 0'/>").encode()])
def test_a_logo_is_served_as_a_picture_that_can_do_nothing(owner: Client, data: bytes) -> None:
    assert send(owner, data).status_code == 302
    answer = owner.get("/brand/logo/")
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["X-Content-Type-Options"] == "nosniff"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "script-src" not in policy


def test_a_picture_of_ours_keeps_nothing_that_was_hidden_behind_it(owner: Client) -> None:
    assert send(owner, picture() + b"<script>canary</script>").status_code == 302
    assert b"canary" not in owner.get("/brand/logo/").content


def test_files_that_are_handed_out_are_downloads(owner: Client, subscription: Any) -> None:
    from datetime import date

    from tests.billing.portal import making

    bill = making.invoice(subscription.customer, due=date(2026, 12, 4))
    answer = owner.get(f"/manage/invoices/{bill.pk}/pdf/")
    assert answer["Content-Disposition"].startswith(("attachment", "inline"))
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
