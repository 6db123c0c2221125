"""The stand-in's state in memory: accounts, and in each account one table per kind of object, in order of
creation."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator

from sandbox.stripe.clock import Clock
from sandbox.stripe.types import Obj

# The kinds of objects, with the fields that lists are filtered by.
KINDS: dict[str, tuple[str, ...]] = {
    "customer": ("email",),
    "payment_method": ("customer",),
    "setup_intent": ("customer",),
    "setup_attempt": ("setup_intent",),
    "mandate": (),
    "payment_intent": ("customer",),
    "charge": ("customer", "payment_intent"),
    "balance_transaction": ("source",),
    "refund": ("charge", "payment_intent"),
    "dispute": ("charge", "payment_intent"),
    "event": ("type",),
    "webhook_endpoint": (),
}
PREFIXES = {
    "cus_": "customer",
    "pm_": "payment_method",
    "seti_": "setup_intent",
    "setatt_": "setup_attempt",
    "mandate_": "mandate",
    "pi_": "payment_intent",
    "ch_": "charge",
    "txn_": "balance_transaction",
    "re_": "refund",
    "dp_": "dispute",
    "evt_": "event",
    "we_": "webhook_endpoint",
}


class Table:
    """Objects by id. Places number them in order of creation, so that a page is found without walking the
    table."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.rows: dict[str, Obj] = {}
        self.hidden: dict[str, Obj] = {}  # what the stand-in knows of an object and the API never shows
        self.places: dict[str, int] = {}
        self.dirty: set[str] = set()
        self.next_place = 1
        self._ids: list[str] = []
        self._at: list[int] = []  # places, ascending; parallel to _ids
        self._by: dict[str, dict[str | None, list[int]]] = {field: {} for field in KINDS[kind]}

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, row: Obj, hidden: Obj | None = None, place: int | None = None) -> Obj:
        object_id: str = row["id"]
        place = self.next_place if place is None else place
        self.next_place = max(self.next_place, place + 1)
        self.rows[object_id] = row
        if hidden:
            self.hidden[object_id] = hidden
        self.places[object_id] = place
        self._ids.append(object_id)
        self._at.append(place)
        for field, index in self._by.items():
            index.setdefault(row[field], []).append(place)
        self.dirty.add(object_id)
        return row

    def touch(self, row: Obj) -> None:
        """The object changed: it must be saved."""
        self.dirty.add(row["id"])

    def change(self, row: Obj, field: str, value: str | None) -> None:
        """Set a field that lists are filtered by."""
        place = self.places[row["id"]]
        self._by[field][row[field]].remove(place)
        row[field] = value
        entries = self._by[field].setdefault(value, [])
        entries.insert(bisect_left(entries, place), place)
        self.dirty.add(row["id"])

    def know(self, object_id: str, **facts: object) -> None:
        self.hidden.setdefault(object_id, {}).update(facts)
        self.dirty.add(object_id)

    def remove(self, object_id: str) -> None:
        row = self.rows.pop(object_id)
        place = self.places.pop(object_id)
        at = bisect_left(self._at, place)
        del self._at[at], self._ids[at]
        for field, index in self._by.items():
            index[row[field]].remove(place)
        self.hidden.pop(object_id, None)
        self.dirty.add(object_id)

    def drop_oldest(self, count: int) -> None:
        for object_id in self._ids[:count]:
            row = self.rows.pop(object_id)
            place = self.places.pop(object_id)
            for field, index in self._by.items():
                entries = index[row[field]]
                if entries and entries[0] == place:
                    del entries[0]
            self.hidden.pop(object_id, None)
            self.dirty.add(object_id)
        del self._ids[:count], self._at[:count]

    def oldest(self) -> Obj | None:
        return self.rows[self._ids[0]] if self._ids else None

    def newest_first(
        self, where: dict[str, str], *, after: str | None = None, before: str | None = None
    ) -> Iterator[Obj]:
        """Objects from new to old; `after` starts below that object, `before` walks upwards from it
        instead."""
        field = next((name for name in where if name in self._by), None)
        places = self._at if field is None else self._by[field].get(where[field], [])
        if before is not None:
            walk: Iterator[int] = iter(places[bisect_right(places, self.places[before]) :])
        elif after is not None:
            walk = reversed(places[: bisect_left(places, self.places[after])])
        else:
            walk = reversed(places)
        for place in walk:
            yield self.rows[self._ids[bisect_left(self._at, place)]]


class Account:
    def __init__(self, row: Obj) -> None:
        self.row = row
        self.id: str = row["id"]
        self.tables = {kind: Table(kind) for kind in KINDS}
        self.dirty = True

    def table(self, kind: str) -> Table:
        return self.tables[kind]

    def find(self, object_id: str) -> Obj | None:
        """Any object by its id, by the prefix that the id bears."""
        if object_id == self.id:
            return self.row
        kind = PREFIXES.get(object_id.partition("_")[0] + "_")
        return self.tables[kind].rows.get(object_id) if kind else None


class State:
    """Everything that outlives a request."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.on_plan: Callable[[Obj], None] = lambda delivery: None
        self.clear()

    def clear(self) -> None:
        self.clock.offset = 0
        self.accounts: dict[str, Account] = {}
        self.keys: dict[str, str] = {}  # keys handed out by OAuth -> account
        self.platforms: dict[str, str] = {}  # client id -> account of the platform
        self.grants: dict[str, set[str]] = {}  # account -> client ids that may act for it
        self.codes: dict[str, Obj] = {}  # OAuth codes not yet redeemed
        self.denied: dict[str, list[str]] = {}  # restricted key -> path prefixes that it may not use
        self.offsets: dict[str, int] = {}  # accounts whose clock was moved apart from the others
        self.deliveries: dict[str, Obj] = {}  # webhooks still to be sent
        self.idempotency: dict[str, Obj] = {}  # "account key" -> first answer
        # What changed and is not saved yet, of the two stores that are written to by every request.
        self.dirty_deliveries: set[str] = set()
        self.dirty_idempotency: set[str] = set()
        self.dirty_misc = True

    def now(self, account_id: str) -> int:
        """The time on an account's clock: the stand-in's own, unless it was moved for that account alone."""
        return self.clock.now() + self.offsets.get(account_id, 0)

    def plan(self, delivery: Obj) -> None:
        """A webhook to be sent; kept until it has arrived or been given up."""
        self.deliveries[delivery["id"]] = delivery
        self.dirty_deliveries.add(delivery["id"])
        self.on_plan(delivery)

    def unplan(self, delivery_id: str) -> None:
        self.deliveries.pop(delivery_id, None)
        self.dirty_deliveries.add(delivery_id)
