"""The state on disk: an SQLite file that takes only what changed, so that a kill costs at most the last
moment."""

import json
import sqlite3
import threading
from pathlib import Path

from sandbox.stripe.store import KINDS, Account, State
from sandbox.stripe.types import Obj

_SCHEMA = """
create table if not exists object (
    account text, kind text, id text, place integer, body text, hidden text, primary key (account, kind, id)
) without rowid;
create table if not exists account (id text primary key, body text);
create table if not exists entry (store text, id text, body text, primary key (store, id)) without rowid;
"""


class Snapshot:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written from a worker thread while the server goes on answering, one write at a time.
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._lock = threading.Lock()
        self._wipes = 0
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.executescript(_SCHEMA)

    def load(self, state: State) -> None:
        for account_id, body in self._db.execute("select id, body from account"):
            state.accounts[account_id] = account = Account(json.loads(body))
            account.dirty = False
        rows = self._db.execute("select account, kind, body, hidden, place from object order by place")
        for account_id, kind, body, hidden, place in rows:
            state.accounts[account_id].tables[kind].add(json.loads(body), json.loads(hidden), place)
        for account in state.accounts.values():
            for table in account.tables.values():
                table.dirty.clear()
        for store, entry_id, body in self._db.execute("select store, id, body from entry"):
            self._load_entry(state, store, entry_id, json.loads(body))
        state.idempotency = dict(sorted(state.idempotency.items(), key=lambda item: int(item[1]["at"])))

    def _load_entry(self, state: State, store: str, entry_id: str, body: Obj) -> None:
        if store == "delivery":
            state.deliveries[entry_id] = body
        elif store == "idempotency":
            state.idempotency[entry_id] = body
        else:
            state.clock.offset = body["clock"]
            state.keys, state.platforms = body["keys"], body["platforms"]
            state.codes, state.denied, state.offsets = body["codes"], body["denied"], body["offsets"]
            state.grants = {account: set(clients) for account, clients in body["grants"].items()}

    def collect(self, state: State) -> "Changes":
        """What changed since the last time, serialised in the caller's thread so that it cannot change
        under the write."""
        changes = Changes(self._wipes)
        for account in state.accounts.values():
            if account.dirty:
                changes.accounts.append((account.id, json.dumps(account.row)))
                account.dirty = False
            for kind in KINDS:
                table = account.tables[kind]
                for object_id in table.dirty:
                    row = table.rows.get(object_id)
                    if row is None:
                        changes.gone.append((account.id, kind, object_id))
                    else:
                        hidden = json.dumps(table.hidden.get(object_id, {}))
                        place = table.places[object_id]
                        changes.objects.append((account.id, kind, object_id, place, json.dumps(row), hidden))
                table.dirty.clear()
        _collect_entries(state, changes)
        return changes

    def write(self, changes: "Changes") -> None:
        with self._lock, self._db:
            if changes.wipes != self._wipes:
                return  # collected before everything was forgotten
            self._db.executemany("insert or replace into account values (?, ?)", changes.accounts)
            self._db.executemany("insert or replace into object values (?, ?, ?, ?, ?, ?)", changes.objects)
            self._db.executemany("delete from object where account = ? and kind = ? and id = ?", changes.gone)
            self._db.executemany("insert or replace into entry values (?, ?, ?)", changes.entries)
            self._db.executemany("delete from entry where store = ? and id = ?", changes.entries_gone)

    def save(self, state: State) -> None:
        self.write(self.collect(state))

    def wipe(self) -> None:
        with self._lock, self._db:
            self._wipes += 1
            for table in ("object", "account", "entry"):
                self._db.execute(f"delete from {table}")

    def close(self) -> None:
        self._db.close()


class Changes:
    def __init__(self, wipes: int) -> None:
        self.wipes = wipes
        self.accounts: list[tuple[str, str]] = []
        self.objects: list[tuple[str, str, str, int, str, str]] = []
        self.gone: list[tuple[str, str, str]] = []
        self.entries: list[tuple[str, str, str]] = []
        self.entries_gone: list[tuple[str, str]] = []

    def __bool__(self) -> bool:
        return bool(self.accounts or self.objects or self.gone or self.entries or self.entries_gone)


def _collect_entries(state: State, changes: Changes) -> None:
    for store, dirty, rows in (
        ("delivery", state.dirty_deliveries, state.deliveries),
        ("idempotency", state.dirty_idempotency, state.idempotency),
    ):
        for entry_id in dirty:
            if entry_id in rows:
                changes.entries.append((store, entry_id, json.dumps(rows[entry_id])))
            else:
                changes.entries_gone.append((store, entry_id))
        dirty.clear()
    if state.dirty_misc:
        misc = {
            "clock": state.clock.offset,
            "keys": state.keys,
            "platforms": state.platforms,
            "offsets": state.offsets,
            "codes": state.codes,
            "denied": state.denied,
            "grants": {account: sorted(clients) for account, clients in state.grants.items()},
        }
        changes.entries.append(("misc", "misc", json.dumps(misc)))
        state.dirty_misc = False
