"""With whom it is shared: S6, nobody else; and the tables of the policy, which say so."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from privacy import inventory, policy_tables, policy_text
from privacy.inventory import Category, Purpose, Recipient, Retention
from privacy.periods import PERIODS
from tests import logging_in, routes
from tests.guards.source import APPS, ROOT, imports, modules
from tests.promises.telling import retitle, share

# Packages by which something is reached over the network. What goes to our own database and cache by Django
# itself (DATABASE_URL, CACHE_URL) goes to nobody else.
NETWORK = (
    "aiohttp", "boto3", "botocore", "celery", "django.core.mail", "dns", "ftplib",
    "http.client", "httpcore", "httpx", "imaplib", "paramiko", "poplib", "redis", "requests",
    "smtplib", "socket", "ssl", "stripe", "telnetlib", "urllib.request", "urllib3", "websocket", "xmlrpc",
)  # fmt: skip
OURS, TENANTS = "our own servers", "a server that a tenant named"
# Every module that opens a connection, or speaks of one: to whom, and which setting says where that is.
CONNECTIONS: dict[str, tuple[Recipient | str, str]] = {
    "billing/stripe_gateway/client.py": (Recipient.STRIPE, "STRIPE_API_BASE"),
    "billing/stripe_gateway/failing.py": (Recipient.STRIPE, "STRIPE_API_BASE"),
    "billing/stripe_gateway/signatures.py": (Recipient.STRIPE, "STRIPE_API_BASE"),
    "vault/aws_gateway.py": (Recipient.AWS, "AWS_ENDPOINT_URL"),
    "vault/secrets_gateway.py": (Recipient.AWS, "AWS_ENDPOINT_URL"),
    "audit/store_gateway.py": (Recipient.AWS, "AUDIT_BUCKET"),
    "privacy/files_gateway.py": (Recipient.AWS, "FILES_BUCKET"),
    "privacy/erasure_log_gateway.py": (Recipient.AWS, "ERASURE_BUCKET"),
    "privacy/mailbox_gateway.py": ("our own mailbox", "PRIVACY_IMAP_URL"),
    "privacy/marketing.py": ("a mail server of our own, for news", "NEWS_EMAIL_URL"),
    "tenants/mail.py": (Recipient.MAIL, "EMAIL_URL"),
    "privacy/policy_notices.py": (Recipient.MAIL, "EMAIL_URL"),
    "privacy/notifying.py": (Recipient.MAIL, "EMAIL_URL"),
    "proecommerce/drilling.py": (OURS, "SITE_URL"),  # a drill looks whether our own pages stand
    "operations/status.py": (Recipient.MAIL, "EMAIL_URL"),
    "tenants/dns_gateway.py": ("name servers: the name of a host, of no person", "DNS_SERVER"),
    "tenants/outgoing.py": (TENANTS, ""),
    "tenants/jobs.py": (OURS, "BROKER_URL"),
    "proecommerce/celery.py": (OURS, "BROKER_URL"),
    "tenants/throttling.py": (OURS, "CACHE_URL"),
}


def speaks(path: Path) -> bool:
    return any(name == each or name.startswith(f"{each}.") for name in imports(path) for each in NETWORK)


def test_s6_every_module_that_opens_connections_is_known_with_its_party_and_setting() -> None:
    found = {path.as_posix() for path in modules(*APPS) if speaks(path)}
    assert found == set(CONNECTIONS), "say to whom it connects, and which setting says where"
    configured = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for party, setting in CONNECTIONS.values():
        assert f"| `{setting}` |" in configured or party == TENANTS
    parties = {party for party, _ in CONNECTIONS.values() if isinstance(party, Recipient)}
    assert parties <= {data.recipient for data in _shares()} | {Recipient.AWS}


def test_s6_the_software_knows_no_address_but_those_of_the_parties() -> None:
    """Written out in the code: nothing but where Stripe is, for everything else is configured."""
    found = set()
    for path in modules(*APPS):
        found |= set(re.findall(r"https?://([a-z0-9.-]+\.[a-z]{2,})\b", (ROOT / path).read_text()))
    stripe = {f"{name}.stripe.com" for name in ("api", "connect", "js", "hooks", "dashboard")}
    # A name in SVG, and a link for people to follow: the list of authorities to complain to.
    shown = {"www.w3.org", "www.edpb.europa.eu"}
    assert found <= {*stripe, *shown, "proecommerce.com", "rehearsal.invalid"}


@pytest.mark.parametrize("name", ["owner", "visitor"])
def test_s6_no_page_lets_the_browser_ask_anybody_else(tenant: Any, people: Any, name: str) -> None:
    """Every page of the three hosts: what it loads, and what its policy would let it load."""
    user, seen = people(), 0
    for host in routes.hosts():
        client = Client(HTTP_HOST=host, raise_request_exception=False)
        if name == "owner" and host == "alpha.localhost":
            logging_in.enter(client, user)
        for route in (each for each in routes.every() if each.host == host):
            answer = client.get(route.path)
            policy = answer.headers.get("Content-Security-Policy", "")
            foreign = set(re.findall(r"https?://[^\s;]+", policy)) - _own()
            assert not foreign or host == settings.PAY_HOST, (route, foreign)
            if "text/html" in answer.headers.get("Content-Type", ""):
                seen += 1
                loads = Loads.of(answer.content.decode())
                assert [each for each in loads if _is_foreign(each)] == [], route
    assert seen > 40


def _own() -> set[str]:
    site, pay = settings.SITE_URL.rstrip("/"), settings.PAY_URL.rstrip("/")
    return {site, pay, site.replace("://", "://*.", 1)}


def _is_foreign(address: str) -> bool:
    return address.startswith(("http:", "https:", "//")) and not address.startswith(tuple(_own()))


class Loads(HTMLParser):
    """What a page or mail makes a reader's program fetch by itself: not links, which one follows."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def of(cls, html: str) -> list[str]:
        reader = cls()
        reader.feed(html)
        return reader.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"src", "srcset", "poster", "background", "data", "ping"} or (
                name == "href" and tag in {"link", "base", "image", "use"}
            ):
                self.found.append(value or "")


def _mails() -> Iterator[Path]:
    yield from (path for path in (ROOT / "templates").rglob("*.html") if "mail" in path.parts)


def test_c9_no_tracking_pixels_and_no_advertising_in_pages_and_mails(tenant: Any) -> None:
    """Mails fetch nothing at all, so that nobody hears of their being read; pages fetch only from us."""
    for path in _mails():
        source = path.read_text(encoding="utf-8")
        assert Loads.of(re.sub(r"{%.*?%}", "", source)) == [], path
        assert "<img" not in source and "url(" not in source, path
    assert len(list(_mails())) >= 2
    words = re.compile(r"gtag|google-analytics|googletagmanager|fbq\(|pixel\.|doubleclick|matomo|plausible")
    for path in (*(ROOT / "templates").rglob("*.html"), *(ROOT / "static").rglob("*.js")):
        assert not words.search(path.read_text(encoding="utf-8")), path
    names = {name for holding in inventory.holdings() for name in (*holding.personal, *holding.none)}
    assert not {name for name in names if re.search(r"advert|idfa|gaid|tracking|pixel|campaign|utm", name)}
    assert not {name for name in names if re.search(r"card_number|pan$|cvc|cvv", name)}
    everywhere = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert {value for values in everywhere.values() for value in values} <= {"'none'", "'self'", "data:"}


# The tables.


class Cells(HTMLParser):
    """The cells of the policy's tables, by the caption's first words."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"} and self.tables:
            self._cell = []
        elif tag in {"li", "span"} and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"} and self._cell is not None:
            self.tables[-1][-1].append("".join(self._cell).strip())
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


def tables() -> list[list[list[str]]]:
    reader = Cells()
    reader.feed(policy_text.present().html)
    return [[row for row in table if len(row) > 1][1:] for table in reader.tables]


def numbers(table: list[list[str]]) -> list[str]:
    return [row[0].split("\n")[1] for row in table]


def _shares() -> list[Any]:
    from types import SimpleNamespace

    return [
        SimpleNamespace(recipient=recipient, data=data)
        for holding in inventory.holdings()
        for data in holding.personal.values()
        for recipient in data.recipients
    ]


def test_c10_the_policys_tables_say_what_the_inventory_says_and_nothing_else() -> None:
    collected, used, shared, kept = tables()
    fields = [data for holding in inventory.holdings() for data in holding.personal.values()]
    categories = {data.category for data in fields}
    purposes = {each for data in fields for each in data.purposes}
    assert numbers(collected) == [each.value for each in Category if each in categories]
    assert numbers(used) == [each.value for each in Purpose if each in purposes]
    for row, number in zip(collected, numbers(collected), strict=True):
        holding = {
            each.title
            for each in inventory.holdings()
            if any(data.category == number for data in each.personal.values())
        }
        assert set(row[1].split("; ")) == holding
    named = {share.recipient for share in _shares()} | {Recipient.AWS, Recipient.AUTHORITIES}
    assert numbers(shared) == [each.value for each in Recipient if each in named]
    for row, number in zip(shared, numbers(shared), strict=True):
        if number not in {Recipient.AWS, Recipient.AUTHORITIES}:
            given = {share.data.category for share in _shares() if share.recipient == number}
            words = [policy_tables.CATEGORIES[each][0].lower() for each in Category if each in given]
            assert row[2].split(", ") == words
    promised = {each for each in Retention if PERIODS[each].promise}
    rules = [each for each in Retention if each in {data.retention for data in fields} | promised]
    assert [row[0].split(" \n")[0] for row in kept] == [policy_tables.KINDS[each] for each in rules]
    assert [row[1] for row in kept] == [PERIODS[each].words for each in rules]
    html = policy_text.present().html
    told = ["C9", "C10", "U5", "U6", "S6", "R5", "W1", "W2", "W3", "W4"]
    for promise in (*told, *(f"P{n}" for n in range(1, 10)), *(f"D{n}" for n in range(1, 12))):
        assert f"({promise})" in html, promise


def test_c10_what_is_declared_anew_stands_on_the_page_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    before = policy_text.present()
    assert "authentication" not in tables()[2][3][2]
    share(monkeypatch)
    assert "authentication" in tables()[2][3][2]
    retitle(monkeypatch, "Whom we bill")
    assert "Whom we bill" in tables()[0][0][1]
    after = policy_text.present()
    assert after.sha256 != before.sha256
    assert policy_tables.substantial(before.facts, after.facts) == ["newly shared: S4: C2"]
    assert policy_tables.substantial(after.facts, before.facts) == []
    monkeypatch.setitem(PERIODS, Retention.RECORD, PERIODS[Retention.BILLING])
    assert "newly kept: record: 0 days, 7 years" in policy_tables.substantial(
        after.facts, policy_text.present().facts
    )


def test_c10_every_number_has_its_words() -> None:
    assert set(policy_tables.CATEGORIES) == set(Category)
    assert set(policy_tables.PURPOSES) == set(Purpose)
    assert set(policy_tables.RECIPIENTS) == set(Recipient)
    assert set(policy_tables.KINDS) == set(Retention)
