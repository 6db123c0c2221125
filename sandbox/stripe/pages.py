"""The pages that people see: connecting an account, the payment form's frame, the bank's challenge,
receipts."""

import html
from functools import cache
from pathlib import Path
from string import Template

from sandbox.stripe.http import Response

_HERE = Path(__file__).parent
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
# Files that are served, by their address.
_FILES = {
    "/v3": "stripe.js",
    "/v3/": "stripe.js",
    "/static/element.js": "element.js",
    "/static/challenge.js": "challenge.js",
    "/static/pages.css": "pages.css",
    "/static/element.css": "element.css",
}


@cache
def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def file(path: str) -> Response | None:
    name = _FILES.get(path)
    if name is None:
        return None
    headers = [
        ("Cache-Control", "no-cache"),
        ("Access-Control-Allow-Origin", "*"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return Response(200, _read(f"static/{name}").encode(), _TYPES[Path(name).suffix], headers)


def page(
    template: str,
    values: dict[str, str],
    *,
    raw: dict[str, str] | None = None,
    status: int = 200,
    form_to: str = "",
    framed: bool = False,
) -> Response:
    """A page under a strict policy; `form_to` is where its form may lead besides here."""
    filled = {name: html.escape(value) for name, value in values.items()} | (raw or {})
    body = Template(_read(f"templates/{template}")).substitute(filled)
    ancestors = "*" if framed else "'none'"
    # The platform's one callback sends the browser on to the tenant's host; the policy counts that too.
    leads_on = " http://*.localhost:*" if form_to else ""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        f"base-uri 'none'; form-action 'self' {form_to}{leads_on}; frame-ancestors {ancestors}"
    )
    headers = [
        ("Content-Security-Policy", policy),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return Response(status, body.encode(), "text/html; charset=utf-8", headers)


def message_page(status: int, title: str, text: str) -> Response:
    return page("message.html", {"title": title, "text": text}, status=status)


def amount_text(amount: int, currency: str) -> str:
    """An amount for a reader: "12.34 EUR"; the number of decimals is the currency's."""
    places = {"jpy": 0, "krw": 0, "clp": 0, "vnd": 0, "bhd": 3, "jod": 3, "kwd": 3, "omr": 3, "tnd": 3}.get(
        currency, 2
    )
    digits = str(amount).rjust(places + 1, "0")
    whole, rest = (digits[:-places], f".{digits[-places:]}") if places else (digits, "")
    return f"{int(whole):,}{rest} {currency.upper()}"
