"""What a contact may do for its customer: pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Permission(StrEnum):
    """One thing that a contact may do for a customer; `LABELS` says what."""

    INVOICES = "invoices"
    PAY = "pay"
    CARDS = "cards"
    DETAILS = "details"
    SERVICES = "services"
    DOMAINS = "domains"
    TICKETS = "tickets"
    CONTACTS = "contacts"
    PRIVACY = "privacy"


ALL = frozenset(Permission)
NEEDS = {Permission.PAY: Permission.INVOICES}  # whoever pays sees what for
LABELS = {
    Permission.INVOICES: ("Invoices", "See them, with what is due, and download the PDF."),
    Permission.PAY: ("Pay", "Pay open invoices by card. Invoices are seen with it."),
    Permission.CARDS: ("Saved cards", "Save and remove cards, and turn autopay on and off."),
    Permission.DETAILS: ("Billing details", "Correct the name, address and tax number on invoices."),
    Permission.SERVICES: ("Services", "See subscriptions, and when they renew."),
    Permission.DOMAINS: ("Domains", "See domains, and change their settings and DNS."),
    Permission.TICKETS: ("Tickets", "Write to support, and read the answers."),
    Permission.CONTACTS: ("Team", "Invite people, and decide what they may do, up to what one may oneself."),
    Permission.PRIVACY: ("Privacy", "Ask for the data that is held, and to have it deleted."),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """Permissions as they count: an owner has all of them, and each brings along what it needs."""

    permissions: frozenset[Permission]
    is_owner: bool = False

    @classmethod
    def of(cls, names: Iterable[str], *, is_owner: bool = False) -> Self:
        """Return the grant of these permissions by name; a name that is not known grants nothing."""
        known = {Permission(name) for name in names if name in ALL}
        known |= {NEEDS[each] for each in known if each in NEEDS}
        return cls(ALL if is_owner else frozenset(known), is_owner)

    @classmethod
    def owner(cls) -> Self:
        """Return the grant of an owner: everything."""
        return cls.of((), is_owner=True)

    @property
    def names(self) -> list[str]:
        """The permissions by name, in the order in which they are shown."""
        return [each.value for each in Permission if each in self.permissions]

    @property
    def words(self) -> str:
        """The permissions as people read them."""
        if self.is_owner:
            return "Everything, as an owner"
        return ", ".join(LABELS[each][0] for each in Permission if each in self.permissions) or "Nothing yet"

    def covers(self, other: "Grant") -> bool:
        """Tell whether whoever has this may hand out the other."""
        return self.is_owner or (not other.is_owner and other.permissions <= self.permissions)
