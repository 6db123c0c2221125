"""The scoring of MDN's HTTP Observatory (version 1.4, ten tests), as its source documents it, for one answer.

Checked once against the real scanner: the same modifiers on the same pages.
"""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

BROAD = {"ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*"}
UNSAFE = BROAD | {"'unsafe-inline'", "data:"}
PRIVATE_REFERRERS = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
HALF_A_YEAR = 15552000
FOR_EXTRA_CREDIT = 90


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and dict(attrs).get("src"):
            self.found.append(dict(attrs))


def score(answer: Any) -> tuple[int, dict[str, int]]:
    """Return the score of an answer over TLS, and what each test gave or took."""
    csp = _directives(answer.headers.get("Content-Security-Policy", ""))
    parts = {
        "csp": _csp(csp),
        "cookies": _cookies(answer),
        "cors": -50 if answer.headers.get("Access-Control-Allow-Origin") == "*" else 0,
        "referrer": _referrer(answer.headers.get("Referrer-Policy", "")),
        "hsts": _hsts(answer.headers.get("Strict-Transport-Security", "")),
        "sri": _sri(answer),
        "nosniff": 0 if answer.headers.get("X-Content-Type-Options") == "nosniff" else -5,
        "frames": _frames(csp, answer.headers.get("X-Frame-Options", "")),
        "corp": 10
        if answer.headers.get("Cross-Origin-Resource-Policy") in {"same-origin", "same-site"}
        else 0,
    }
    base = 100 + sum(each for each in parts.values() if each < 0)
    extra = sum(each for each in parts.values() if each > 0) if base >= FOR_EXTRA_CREDIT else 0
    return base + extra, parts


def _directives(policy: str) -> dict[str, set[str]]:
    words = [part.split() for part in policy.split(";") if part.strip()]
    return {name: set(sources) for name, *sources in words}


def _csp(csp: dict[str, set[str]]) -> int:
    if not csp:
        return -25
    default = csp.get("default-src", {"*"})
    scripts, styles = csp.get("script-src", default), csp.get("style-src", default)
    passive = csp.get("img-src", default) | csp.get("media-src", default)
    active = {s for name, found in csp.items() if name not in {"img-src", "media-src"} for s in found}
    if scripts & UNSAFE or csp.get("object-src", default) & BROAD:
        return -20
    if any(source.startswith(("http:", "ftp:")) for source in active):
        return -20
    if "'unsafe-eval'" in scripts | styles or any(s.startswith(("http:", "ftp:")) for s in passive):
        return -10
    if styles & UNSAFE:
        return 0
    return 10 if default == {"'none'"} else 5


def _cookies(answer: Any) -> int:
    kept = [cookie for cookie in answer.cookies.values() if cookie["max-age"] != 0]
    if not kept:
        return 0
    good = all(c["secure"] and c["httponly"] and c["samesite"] in {"Lax", "Strict"} for c in kept)
    return 5 if good else -40


def _referrer(value: str) -> int:
    if not value:
        return 0
    return 5 if value in PRIVATE_REFERRERS else -5


def _hsts(value: str) -> int:
    age = next((int(p.strip()[8:]) for p in value.split(";") if p.strip().startswith("max-age=")), 0)
    if not value:
        return -20
    return 0 if age >= HALF_A_YEAR else -10


def _sri(answer: Any) -> int:
    if "text/html" not in answer.headers.get("Content-Type", ""):
        return 0
    reader = _Scripts()
    reader.feed(answer.content.decode())
    foreign = [
        each for each in reader.found if urlsplit(each["src"] or "").netloc and not each.get("integrity")
    ]
    if any((each["src"] or "").startswith("http:") for each in foreign):
        return -50
    return -5 if foreign else 0


def _frames(csp: dict[str, set[str]], header: str) -> int:
    if "frame-ancestors" in csp and not csp["frame-ancestors"] & BROAD:
        return 5
    return 0 if header in {"DENY", "SAMEORIGIN"} else -20
