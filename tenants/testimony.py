"""What signed checkpoints say of the chains, and whether they, and their copies outside, are what they were.

Rows of the database only tell which documents to look into: what counts is read out of documents that our key
has signed. By night few are read: the newest, which fix all that came before them by the hashes that each
names, and those by which something was purged.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit import checkpoints
from audit.actions import Action
from audit.checkpoints import Signed
from audit.models import Anchor, AuditEvent, Checkpoint
from audit.retention import money_purgeable_since, purgeable_since
from audit.verifying import TAKING, Anchored
from tenants import clock
from tenants.checkpointing import latest_rows, outside_store, put_outside, signed_of
from tenants.context import current_schema, enter_public
from tenants.directory import every_tenant
from tenants.postgresql.base import PUBLIC
from vault import signing

DAYS_BACK = 2  # how far back the store is looked at for its newest copy


@dataclass(frozen=True, slots=True)
class Testimony:
    """What signed checkpoints say of one chain, the oldest first; and what is wrong with them."""

    anchors: Sequence[Anchored]
    problem: str | None


def rows() -> list[Anchored]:
    """What the rows say that checkpoints say of the chain entered: as good as the database, and no better."""
    return [each.anchored for each in _hints()]


def nightly() -> Testimony:
    """What the newest checkpoints say of the chain entered, and those by which something was purged."""
    keys = signing.get_signer().public_keys
    newest = latest_rows()
    if not newest:
        return Testimony([], None)
    problem = checkpoints.problem_of(
        map(signed_of, newest), keys=keys, is_signed=signing.is_signed, begin=newest[0].number
    )
    numbers = _needed() - {row.number for row in newest}
    with enter_public():
        older = list(Checkpoint.objects.filter(number__in=numbers).order_by("number"))
    return Testimony(_said([*older, *newest], current_schema()), problem)


def whole() -> list[Anchored]:
    """What all checkpoints say of the chain entered that list it. `problem_here` is apart."""
    numbers, schema = [each.number for each in _hints()], current_schema()
    with enter_public():
        listing = Checkpoint.objects.filter(number__in=numbers).order_by("number")
        return _said(listing.iterator(500), schema)


def problem_here() -> str | None:
    """Return what is wrong with the checkpoints of this database: order, signatures, anchors."""
    keys = signing.get_signer().public_keys
    with enter_public():
        found = checkpoints.problem_of(
            map(signed_of, Checkpoint.objects.order_by("number").iterator(2000)),
            keys=keys, is_signed=signing.is_signed,
        )  # fmt: skip
        return found or _anchor_problem()


def problem_outside() -> str | None:
    """Return where the copies outside and this database differ. Reads all of them: talks to S3 for long."""
    with enter_public():
        here = {row.number: row for row in Checkpoint.objects.all()}
    there: set[int] = set()
    found = _compared(here, _copies(checkpoints.PREFIX, there))
    if found:
        return found
    missing = sorted(number for number, row in here.items() if row.stored_at and number not in there)
    return f"checkpoint {missing[0]} is not in the store any more" if missing else None


def newest_problem_outside(*, now: datetime) -> str | None:
    """Return where the newest copy outside and this database differ: it vouches for all before it."""
    store, names = outside_store(), list[str]()
    for back in range(DAYS_BACK + 1):
        day = checkpoints.folder_of(now - timedelta(days=back))
        names = sorted(store.keys(day))
        if names:
            break
    if not names:
        with enter_public():
            stored = Checkpoint.objects.filter(stored_at__lt=now - timedelta(days=DAYS_BACK)).exists()
        return f"the store holds no checkpoint of the last {DAYS_BACK} days" if stored else None
    try:
        number = checkpoints.number_of(names[-1])
    except ValueError:  # no name that we give
        return checkpoints.LITTER
    with enter_public():
        row = Checkpoint.objects.filter(number=number).first()
    here = {row.number: row} if row else {}
    return _compared(here, _copies(names[-1], set()))


def put_missing() -> int:
    """Put the checkpoints of this database into the store that are not there; returns how many. Talks to S3.

    For a new bucket after a restore: it proves that they have not been changed since, and nothing of before.
    """
    there: set[int] = set()
    store = outside_store()
    for _ in _copies(checkpoints.PREFIX, there):
        pass
    with enter_public():
        stored = Checkpoint.objects.filter(stored_at__isnull=False).exclude(number__in=there)
        missing = list(stored.order_by("number"))
    for each in missing:
        put_outside(store, each)
    return len(missing)


def lost_chains() -> list[str]:
    """Return the schemas that checkpoints have seen and that are no tenant's now, though none was dropped so.

    A tenant that was dropped is on the platform's own chain, with the head that its chain ended at.
    """
    present = {PUBLIC, *(tenant.schema_name for tenant in every_tenant())}
    with enter_public():
        seen = set(Anchor.objects.values_list("schema_name", flat=True).distinct())
        told = AuditEvent.objects.filter(action=Action.TENANT_DROPPED).values_list("details", flat=True)
        ended = {each["schema"]: (each["count"], each["hash"]) for each in told}
        return sorted(name for name in seen - present if not _ended_at(name, *ended.get(name, (0, ""))))


def _ended_at(schema: str, seq: int, digest: str) -> bool:
    """Tell whether no checkpoint has seen the chain go on after this event, or end in another one."""
    last = Anchor.objects.filter(schema_name=schema).order_by("-seq")[0]
    return last.seq < seq or (last.seq, bytes(last.hash).hex()) == (seq, digest)


@dataclass(frozen=True, slots=True)
class _Hint:
    number: int
    anchored: Anchored


def _hints() -> list[_Hint]:
    """The rows that point to the documents in which the chain entered is listed, the oldest first."""
    schema = current_schema()
    with enter_public():
        found = Anchor.objects.filter(schema_name=schema).order_by("seq", "at")
        return [
            _Hint(number, Anchored(at, seq, bytes(digest)))
            for number, at, seq, digest in found.values_list("checkpoint_id", "at", "seq", "hash")
        ]


def _needed() -> set[int]:
    """The numbers of the checkpoints by which what was purged of the chain entered was old enough."""
    purges = AuditEvent.objects.filter(action=Action.AUDIT_PURGED).order_by("seq")
    made = list(purges.values_list("seq", "at"))
    if not made:
        return set()
    hints, now = _hints(), clock.of_database()
    ats = sorted(each.anchored.at for each in hints)
    by_at = {each.anchored.at: each.number for each in hints}
    seqs = [each.anchored.seq for each in hints]
    numbers: set[int] = set()

    def newest_before(at: datetime) -> None:
        place = bisect_right(ats, at)
        if place:
            numbers.add(by_at[ats[place - 1]])

    newest_before(money_purgeable_since(now))
    for seq, at in made:
        place = bisect_left(seqs, seq)
        covering = hints[place : place + 1]
        numbers.update(each.number for each in covering)
        newest_before(purgeable_since(min(at, now, *(each.anchored.at + TAKING for each in covering))))
    return numbers


def _said(rows: Iterable[Checkpoint], schema: str) -> list[Anchored]:
    """What documents that our key has signed say of one chain; others say nothing."""
    keys = signing.get_signer().public_keys
    read = (checkpoints.read_signed(signed_of(row), keys, signing.is_signed) for row in rows)
    return [
        Anchored(found.at, head.seq, head.hash, head.count, head.money)
        for found in read
        if found is not None
        for head in found.heads
        if head.schema == schema
    ]


def _copies(prefix: str, there: set[int]) -> Iterator[Signed]:
    """All versions of the copies under `prefix`; their numbers are added to `there`."""
    for kept in outside_store().all_versions(prefix):
        signed = checkpoints.unpacked(kept.body) or Signed(kept.body, b"")
        told = checkpoints.read(signed.document)
        if told is not None:
            there.add(told.number)
        yield signed


def _compared(here: Mapping[int, Checkpoint], copies: Iterator[Signed]) -> str | None:
    keys = signing.get_signer().public_keys
    mine = {number: signed_of(row) for number, row in here.items()}
    return checkpoints.store_problem(mine, copies, keys=keys, is_signed=signing.is_signed)


def _anchor_problem() -> str | None:
    """Look whether the anchors are what the signed documents list, no more and no less."""
    for row in Checkpoint.objects.order_by("number").iterator(2000):
        told = checkpoints.read(row.document.encode())
        assert told is not None
        listed: Mapping[str, tuple[int, bytes]] = {head.schema: (head.seq, head.hash) for head in told.heads}
        kept = row.anchors.values_list("schema_name", "seq", "hash", "at")
        if {name: (seq, bytes(digest)) for name, seq, digest, _ in kept} != listed or any(
            at != told.at for *_, at in kept
        ):
            return f"the anchors of checkpoint {row.number} are not those that it lists"
    return None
