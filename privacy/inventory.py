"""The inventory of personal data: for every field of every model, what it is, what for, how long, for whom.

Each app declares its models in `personal_data.py`, read when the apps are ready. Access, export, erasure,
retention and the tables of the public policy are readings of this one list; a field that is not in it fails
the build (`tests/guards/test_inventory.py`). The numbers are those of the promises in `docs/promises.md`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from django.apps import apps
from django.db.models import Model


class Category(StrEnum):
    """What is collected; the policy names these and no others."""

    ACCOUNT = "C1"
    AUTHENTICATION = "C2"
    PLAN_AND_CARD = "C3"
    BILLING = "C4"
    USAGE = "C5"
    RECORD = "C6"
    CORRESPONDENCE = "C7"
    OPTIONAL = "C8"


class Purpose(StrEnum):
    """What it is used for."""

    SERVICE = "U1"
    SUPPORT = "U2"
    SECURITY = "U3"
    LAW = "U4"
    MARKETING = "U6"


class Basis(StrEnum):
    """The one legal basis of a use: Art. 6(1) GDPR, letters b, f, c and a."""

    CONTRACT = "contract"
    LEGITIMATE_INTEREST = "legitimate interest"
    LEGAL_OBLIGATION = "legal obligation"
    CONSENT = "consent"


class Recipient(StrEnum):
    """With whom it may be shared; there is nobody else."""

    STRIPE = "S1"
    AWS = "S2"
    MAIL = "S3"
    CERTIFICATES = "S4"
    AUTHORITIES = "S5"


class Retention(StrEnum):
    """The rule by which it goes; the periods stand in `privacy.periods`, who executes each in `retention`."""

    ACCOUNT = "account"
    BILLING = "billing"
    RECORD = "record"
    REQUEST_LOG = "request_log"
    CONSENT = "consent"
    SESSION = "session"
    DEVICE = "device"
    INVITATION = "invitation"
    EMAIL_CHANGE = "email_change"
    CHALLENGE = "challenge"
    THROTTLE = "throttle"
    JOB = "job"
    VENDOR_EVENT = "vendor_event"
    EXPORT_FILE = "export_file"
    REHEARSAL = "rehearsal"
    PROSPECT = "prospect"
    REQUEST = "request"
    STAFF = "staff"
    INCIDENT = "incident"


class Export(StrEnum):
    """How a person gets it who asks for what is held."""

    GIVEN = "given"
    # A hash or a secret: that it is there is told, what it is would harm the person it protects.
    WITHHELD = "withheld"


class Erasure(StrEnum):
    """What becomes of it when its person is erased."""

    ROW = "row"  # the row goes
    BLANK = "blank"  # the field is emptied; `Holding.instead` says with what, where empty is not allowed
    KEPT = "kept"  # the law wants it until its retention is over
    SHREDDED = "shredded"  # it stays, sealed; the key is destroyed


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What one personal field is."""

    category: Category
    purposes: tuple[Purpose, ...]
    basis: Basis
    retention: Retention
    erasure: Erasure
    recipients: tuple[Recipient, ...] = ()
    export: Export = Export.GIVEN
    law: str = ""  # which one, where the erasure is KEPT

    def but(self, **changes: Any) -> "Data":
        """The same but for these."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class About:
    """Whose a row is: the kind of subject, and the lookup from the row to the subject's id (`pk`: itself).

    `others` are fields that tell of somebody else: this subject is not given them (Art. 15(4) GDPR).
    """

    kind: str
    path: str = "pk"
    others: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What one model holds: its personal fields, and those that tell of nobody.

    `label` is Django's, e.g. `accounts.Customer`; `title` what people call it. `about` is empty where no row
    can be found by the person, as with keyed hashes; then `unfindable` says why that is right. `instead`
    gives what a BLANK field is set to, from the row, where it may not be empty.
    """

    label: str
    title: str
    about: tuple[About, ...] = ()
    personal: Mapping[str, Data] = field(default_factory=lambda: MappingProxyType({}))
    none: frozenset[str] = frozenset()
    instead: Mapping[str, Callable[[Any], Any]] = field(default_factory=lambda: MappingProxyType({}))
    unfindable: str = ""

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.label)

    def path_of(self, kind: str) -> str | None:
        """The lookup from a row to the id of a subject of this kind, if rows are about one."""
        return next((about.path for about in self.about if about.kind == kind), None)

    def of_others(self, kind: str) -> frozenset[str]:
        """The fields that tell of somebody else, in the rows of a subject of this kind."""
        return next((about.others for about in self.about if about.kind == kind), frozenset())


_holdings: dict[str, Holding] = {}


def holds(
    label: str,
    title: str,
    *,
    about: Sequence[About] = (),
    personal: Mapping[str, Data] | None = None,
    none: Iterable[str] = (),
    instead: Mapping[str, Callable[[Any], Any]] | None = None,
    unfindable: str = "",
) -> None:
    """Declare what a model holds. Raises ValueError for one declared twice or against itself."""
    holding = Holding(
        label=label,
        title=title,
        about=tuple(about),
        personal=MappingProxyType(dict(personal or {})),
        none=frozenset(none),
        instead=MappingProxyType(dict(instead or {})),
        unfindable=unfindable,
    )
    problem = _problem(holding)
    if problem:
        raise ValueError(f"{label}: {problem}")
    _holdings[label] = holding


def holdings() -> Sequence[Holding]:
    """Return all that is declared, in order of the models' names."""
    return [_holdings[label] for label in sorted(_holdings)]


def holding_of(label: str) -> Holding:
    """Return what is declared for one model; raises KeyError."""
    return _holdings[label]


def about(kind: str) -> Sequence[Holding]:
    """Return the holdings whose rows can be found by a subject of this kind."""
    return [each for each in holdings() if each.path_of(kind) is not None]


def spread(data: Data, *names: str) -> dict[str, Data]:
    """The same declaration for several fields."""
    return dict.fromkeys(names, data)


def _problem(holding: Holding) -> str:
    both = holding.none & holding.personal.keys()
    kept_without_law = [
        name for name, data in holding.personal.items() if (data.erasure is Erasure.KEPT) != bool(data.law)
    ]
    if holding.label in _holdings:
        return "it is declared twice"
    if both:
        return f"{sorted(both)} cannot be personal and not"
    if kept_without_law:
        return f"{kept_without_law}: what is kept needs its law, and only that"
    if holding.personal and not holding.about and not holding.unfindable:
        return "say whose the rows are, or why they cannot be found by a person"
    if not set(holding.instead) <= set(holding.personal):
        return "it blanks a field that is not personal"
    return ""
