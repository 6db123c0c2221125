"""The tables of the public policy as readings of the inventory: what is declared goes in, rows come out.

Values in, values out. The words for each number stand here once; a number without words fails.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from privacy.inventory import Basis, Category, Data, Holding, Purpose, Recipient, Retention
from privacy.periods import Period

CATEGORIES: Final[Mapping[Category, tuple[str, str]]] = {
    Category.ACCOUNT: ("Account", "Name, business name, email address, phone number, postal address."),
    Category.AUTHENTICATION: (
        "Authentication",
        "A hash of the password, the secret of an authenticator app (encrypted), backup codes (as hashes) "
        "and passkeys.",
    ),
    Category.PLAN_AND_CARD: (
        "Plan and card",
        "The plan subscribed to, and Stripe's reference to the means of payment with a card's brand, last "
        "four digits and expiry. Never the card number.",
    ),
    Category.BILLING: ("Billing", "Invoices, transactions, credit balances and what belongs to them."),
    Category.USAGE: ("Usage", "IP address, browser, time of log-in, sessions."),
    Category.RECORD: (
        "Audit log",
        "Which actions a person took on the platform, and when, with their name, email address, IP address "
        "and browser, and what they changed.",
    ),
    Category.CORRESPONDENCE: (
        "Correspondence",
        "What you write to us, what we answer, and mails sent to you.",
    ),
    Category.OPTIONAL: (
        "Optional",
        "Only where somebody enters or chooses it: people who act for a customer, consent to marketing, mail "
        "preferences, domains managed for customers.",
    ),
}
PURPOSES: Final[Mapping[Purpose, tuple[str, str]]] = {
    Purpose.SERVICE: (
        "The service",
        "To log people in, run the billing, send invoices, process payments, provision hosting and register "
        "domains.",
    ),
    Purpose.SUPPORT: ("Support", "To answer questions and to find out what went wrong."),
    Purpose.SECURITY: ("Security", "To detect abuse, slow robots down and keep a record of who did what."),
    Purpose.LAW: ("Law", "To report taxes, answer lawful requests and settle disputes."),
    Purpose.MARKETING: ("Marketing", "News and offers by mail, only to those who asked for them."),
}
BASES: Final[Mapping[Basis, str]] = {
    Basis.CONTRACT: "contract, Art. 6(1)(b) GDPR",
    Basis.LEGITIMATE_INTEREST: "legitimate interest, Art. 6(1)(f) GDPR",
    Basis.LEGAL_OBLIGATION: "legal obligation, Art. 6(1)(c) GDPR",
    Basis.CONSENT: "consent, Art. 6(1)(a) GDPR",
}
RECIPIENTS: Final[Mapping[Recipient, tuple[str, str, str]]] = {
    Recipient.STRIPE: (
        "Stripe",
        "Payments. They go straight to the Stripe account of the business that bills you.",
        "Name, email address, card-payment tokens, amounts; the number of the invoice; our names for the "
        "workspace, the customer, the invoice and the payment, which say nothing to anybody else.",
    ),
    Recipient.AWS: (
        "Amazon Web Services",
        "Hosting in us-east-1 (Virginia, United States), domain registration, keys, encrypted backups.",
        "What is stored here, encrypted where this page says so; a registrant's contact details, as ICANN "
        "demands.",
    ),
    Recipient.MAIL: (
        "MXRoute",
        "Delivery of mail that belongs to the service: invoices, log-ins, notices. News and offers never go "
        "there: a mail server of our own sends them.",
        "Address, subject and text of the mail.",
    ),
    Recipient.CERTIFICATES: (
        "Let's Encrypt",
        "TLS certificates for the addresses of workspaces.",
        "The domain name only.",
    ),
    Recipient.AUTHORITIES: (
        "Authorities",
        "Lawful requests. Each disclosure is on record.",
        "What the request lawfully requires, and no more.",
    ),
}
# What is given to a party by the nature of what it does, whichever field it is.
ALWAYS: Final[Mapping[Recipient, str]] = {
    Recipient.AWS: "everything above, as our host",
    Recipient.AUTHORITIES: "only what is lawfully required",
}
KINDS: Final[Mapping[Retention, str]] = {
    Retention.ACCOUNT: "Data of an account",
    Retention.BILLING: "Billing records of a closed account",
    Retention.RECORD: "Audit log",
    Retention.REQUEST_LOG: "Request logs of our servers",
    Retention.CONSENT: "Records of consent to marketing",
    Retention.SESSION: "Sessions",
    Retention.DEVICE: "Devices known from log-ins",
    Retention.INVITATION: "Invitations",
    Retention.EMAIL_CHANGE: "Changes of address",
    Retention.CHALLENGE: "What a passkey is asked to sign",
    Retention.THROTTLE: "Counts of attempts, as keyed hashes",
    Retention.JOB: "Work that was done in the background",
    Retention.VENDOR_EVENT: "Messages from Stripe",
    Retention.EXPORT_FILE: "Files made for whoever asked for a copy",
    Retention.REHEARSAL: "Rehearsals with a copy of a workspace's data",
    Retention.PROSPECT: "Messages from the contact form",
    Retention.REQUEST: "Privacy requests and their answers",
    Retention.STAFF: "Log-ins of our own staff",
    Retention.INCIDENT: "Registers of breaches and of disclosures to authorities",
}
# What promises wait for, by their number: the open rows of docs/promises.md (tests/guards/test_promises.py).
NOT_BUILT: Final[Mapping[str, str]] = {
    "C7": "tickets and mail threads",
    "C8": "domains",
    "U1": "hosting and domains",
    "U2": "tickets",
    "U4": "tax reports",
    "S2": "domains and backups",
    "R5": "backups",
    "P5": "backups",
}


@dataclass(frozen=True, slots=True)
class Collected:
    """One category: what is in it, and each use of it with the basis it rests on."""

    number: str
    name: str
    what: str
    kinds: tuple[str, ...]
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """One purpose, with the bases that uses for it rest on."""

    number: str
    name: str
    what: str
    bases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """One recipient: what for, what it gets, and of which categories."""

    number: str
    name: str
    why: str
    what: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """One rule of retention, and for which categories it holds."""

    number: str
    name: str
    period: str
    counted_from: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Treated:
    """Some fields of one table that are treated alike: what for, on which basis, who gets them, how long."""

    fields: tuple[str, ...]
    purposes: tuple[str, ...]
    basis: str
    recipients: tuple[str, ...]
    kept: str


def collected(holdings: Sequence[Holding]) -> list[Collected]:
    """What is collected, by category in order of the numbers."""
    rows = []
    for category in Category:
        found = [(holding, data) for holding, _, data in _fields(holdings) if data.category is category]
        if found:
            name, what = CATEGORIES[category]
            titles = tuple(dict.fromkeys(holding.title for holding, _ in found))
            rows.append(Collected(category.value, name, what, titles, _uses(data for _, data in found)))
    return rows


def used(holdings: Sequence[Holding]) -> list[Used]:
    """What it is used for, with the legal bases."""
    rows = []
    for purpose in Purpose:
        found = {data.basis for _, _, data in _fields(holdings) if purpose in data.purposes}
        name, what = PURPOSES[purpose]
        bases = tuple(BASES[basis] for basis in Basis if basis in found)
        if found:
            rows.append(Used(purpose.value, name, what, bases))
    return rows


def shared(holdings: Sequence[Holding]) -> list[Shared]:
    """With whom it is shared: whom the inventory names, and those that get what they get by what they are."""
    rows = []
    for recipient in Recipient:
        found = {data.category for _, _, data in _fields(holdings) if recipient in data.recipients}
        if found or recipient in ALWAYS:
            name, why, what = RECIPIENTS[recipient]
            names = tuple(CATEGORIES[each][0].lower() for each in Category if each in found)
            given = (ALWAYS[recipient],) if recipient in ALWAYS else names
            rows.append(Shared(recipient.value, name, why, what, given))
    return rows


def kept(holdings: Sequence[Holding], periods: Mapping[Retention, Period]) -> list[Kept]:
    """How long: the rules that something is kept by, and those promised by number."""
    rows = []
    for retention in Retention:
        found = {data.category for _, _, data in _fields(holdings) if data.retention is retention}
        period = periods[retention]
        if found or period.promise:
            names = tuple(CATEGORIES[each][0].lower() for each in Category if each in found)
            since = period.since if period.days or period.years else ""
            rows.append(Kept(period.promise, KINDS[retention], period.words, since, names))
    return rows


def treated(holding: Holding, periods: Mapping[Retention, Period]) -> list[Treated]:
    """What becomes of one table's fields: those that are treated alike together, in order of the fields."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, data in holding.personal.items():
        how = (data.purposes, data.basis, data.recipients, data.retention)
        groups.setdefault(how, []).append(name)
    return [
        Treated(
            tuple(names),
            tuple(PURPOSES[each][0] for each in Purpose if each in purposes),
            BASES[basis],
            _getting(recipients),
            _how_long(retention, periods[retention]),
        )
        for (purposes, basis, recipients, retention), names in groups.items()
    ]


def _getting(recipients: Sequence[Recipient]) -> tuple[str, ...]:
    """Who gets it: whom the field names, and our host, who has everything."""
    host = f"{RECIPIENTS[Recipient.AWS][0]}, as our host"
    return (*(RECIPIENTS[each][0] for each in recipients if each is not Recipient.AWS), host)


def _how_long(retention: Retention, period: Period) -> str:
    counted = retention is not Retention.ACCOUNT and (period.days or period.years) and period.since
    return f"{period.words}, counted from: {period.since}" if counted else period.words


def facts(holdings: Sequence[Holding], periods: Mapping[Retention, Period]) -> dict[str, list[str]]:
    """What a change of the policy is measured by: who gets which category, what is kept by which rule."""
    fields = list(_fields(holdings))
    shares = {f"{each.value}: {data.category.value}" for _, _, data in fields for each in data.recipients}
    rules = {data.retention for _, _, data in fields}
    return {
        "categories": sorted({data.category.value for _, _, data in fields}),
        "sharing": sorted(shares),
        "retention": sorted(f"{each.value}: {_exactly(periods[each])}" for each in rules),
    }


def substantial(before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]) -> list[str]:
    """Name what is new in collecting, sharing and retention: what people must hear of before it holds."""
    words = {"categories": "collected", "sharing": "shared", "retention": "kept"}
    return [
        f"newly {words[kind]}: {each}"
        for kind in words
        for each in after.get(kind, ())
        if each not in before.get(kind, ())
    ]


def told_period(facts: Mapping[str, Sequence[str]], rule: Retention) -> tuple[int | None, int | None] | None:
    """Days and years of a rule as these facts tell it, none of both for no set time; None: not told."""
    for fact in facts.get("retention", ()):
        name, _, told = fact.partition(": ")
        if name == rule.value:
            figures = re.fullmatch(r"(\d+) days, (\d+) years", told)
            return (int(figures[1]) or None, int(figures[2]) or None) if figures else (None, None)
    return None


def _fields(holdings: Sequence[Holding]) -> Iterable[tuple[Holding, str, Data]]:
    for holding in holdings:
        for name, data in holding.personal.items():
            yield holding, name, data


def _uses(found: Iterable[Data]) -> tuple[str, ...]:
    """Each purpose once, with the bases of the uses in it."""
    bases: dict[Purpose, set[Basis]] = {}
    for data in found:
        for purpose in data.purposes:
            bases.setdefault(purpose, set()).add(data.basis)
    return tuple(
        f"{PURPOSES[purpose][0]}: " + "; ".join(each.value for each in Basis if each in bases[purpose])
        for purpose in Purpose
        if purpose in bases
    )


def _exactly(period: Period) -> str:
    """The period in figures, where it has some: other words for the same time are no other retention."""
    figures: tuple[Any, ...] = (period.days, period.years)
    return f"{period.days or 0} days, {period.years or 0} years" if any(figures) else period.words
