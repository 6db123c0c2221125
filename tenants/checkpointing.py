"""Signed checkpoints over the chains of all schemas: taken, put outside, and checked.

A chain proves that nothing inside it was changed; a checkpoint, that the whole was not written anew; and the
copy outside, that the checkpoints were not either.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from audit import checkpoints
from audit.actions import Action
from audit.checkpoints import FIRST, Head, Signed
from audit.models import Anchor, AuditEvent, ChainHead, Checkpoint
from audit.retention import months_before
from audit.store_gateway import OutsideStore, S3Store
from audit.verifying import Anchored
from tenants.context import current_schema, enter, enter_public
from tenants.directory import every_tenant
from tenants.ids import new_id
from tenants.jobs import enqueue
from tenants.postgresql.base import PUBLIC
from vault import signing

TAKING_LOCK = 0x63686B70  # "chkp"


def take(*, now: datetime) -> Checkpoint:
    """Sign the heads of all chains as they are now; the copy outside follows by job. One at a time."""
    signer = signing.get_signer()  # before the transaction: it may have to ask Secrets Manager
    with enter_public(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TAKING_LOCK])
        last = Checkpoint.objects.order_by("-number").first()
        if last is not None and now <= last.at:
            return last
        heads = list(_heads())
        complete = last is None or last.at.date() != now.date()
        known = _known([head.schema for head in heads])
        shown = heads if complete else [head for head in heads if known[head.schema] != head.seq]
        number = last.number + 1 if last else 1
        document = checkpoints.compose(
            number=number,
            at=now,
            previous=bytes(last.hash).hex() if last else FIRST,
            heads=shown,
            complete=complete,
            chains=len(heads),
            key=signer.key_id,
            public_keys=signer.public_keys,
        )
        signed = Signed(document, signer.sign(document))
        taken = Checkpoint.objects.create(
            number=number, at=now, document=document.decode(), signature=signed.signature, hash=signed.hash
        )
        Anchor.objects.bulk_create([_anchor(taken, head) for head in shown], batch_size=2000)
        if settings.AUDIT_BUCKET:
            enqueue("tenants.store_checkpoints")
    return taken


def store_waiting(*, now: datetime) -> int:
    """Put outside what is not there yet, in order; returns how many. Talks to S3: no transaction around it.

    Raises `StoreUnavailable`: what is not there yet stays waiting.
    """
    store, done = outside_store(), 0
    with enter_public():
        waiting = list(Checkpoint.objects.filter(stored_at__isnull=True).order_by("number"))
    for each in waiting:
        keep = months_before(each.at, -12 * settings.AUDIT_KEEP_YEARS)
        store.put(
            checkpoints.key_of(each.number, each.at), checkpoints.packed(_signed(each)), keep_until=keep
        )
        with enter_public():
            done += Checkpoint.objects.filter(pk=each.pk, stored_at__isnull=True).update(stored_at=now)
    return done


def outside_store() -> OutsideStore:
    """Return the store outside, as the settings have it."""
    return S3Store(
        bucket=settings.AUDIT_BUCKET,
        region=settings.AWS_DEFAULT_REGION,
        endpoint=settings.AWS_ENDPOINT_URL,
    )


def anchors() -> list[Anchored]:
    """Return what checkpoints say of the chain of the schema entered, the oldest first."""
    schema = current_schema()
    with enter_public():
        rows = Anchor.objects.filter(schema_name=schema).order_by("seq")
        return [Anchored(at, seq, bytes(digest)) for at, seq, digest in rows.values_list("at", "seq", "hash")]


def problem_here() -> str | None:
    """Return what is wrong with the checkpoints of this database: order, signatures, anchors."""
    keys = signing.get_signer().public_keys
    with enter_public():
        rows = Checkpoint.objects.order_by("number").iterator(2000)
        found = checkpoints.problem_of(map(_signed, rows), keys=keys, is_signed=signing.is_signed)
        return found or _anchor_problem()


def problem_outside() -> str | None:
    """Return where the copies outside and this database differ. Talks to S3."""
    keys = signing.get_signer().public_keys
    with enter_public():
        here = {row.number: row for row in Checkpoint.objects.all()}
    there: set[int] = set()

    def copies() -> Iterator[Signed]:
        for kept in outside_store().all_versions(checkpoints.PREFIX):
            signed = checkpoints.unpacked(kept.body) or Signed(kept.body, b"")
            told = checkpoints.read(signed.document)
            if told is not None:
                there.add(told.number)
            yield signed

    mine = {number: _signed(row) for number, row in here.items()}
    found = checkpoints.store_problem(mine, copies(), keys=keys, is_signed=signing.is_signed)
    if found:
        return found
    missing = sorted(number for number, row in here.items() if row.stored_at and number not in there)
    return f"checkpoint {missing[0]} is not in the store any more" if missing else None


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


def _heads() -> Iterator[Head]:
    """The head of every chain, the platform's first; each read in its own schema."""
    yield _head(PUBLIC)
    for tenant in every_tenant():
        with enter(tenant):
            yield _head(tenant.schema_name)


def _head(schema: str) -> Head:
    head = ChainHead.objects.get()
    return Head(schema, head.seq, bytes(head.hash), head.seq - head.purged)


def _anchor(taken: Checkpoint, head: Head) -> Anchor:
    return Anchor(
        id=new_id(), checkpoint=taken, at=taken.at, schema_name=head.schema, seq=head.seq, hash=head.hash
    )


def _known(schemas: Sequence[str]) -> dict[str, int | None]:
    """The event at which the last checkpoint that lists each chain has seen it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name,"
            " (SELECT seq FROM audit_anchor a WHERE a.schema_name = name ORDER BY seq DESC LIMIT 1)"
            " FROM unnest(%s::text[]) AS asked (name)",
            [list(schemas)],
        )
        return dict(cursor.fetchall())


def _signed(row: Checkpoint) -> Signed:
    return Signed(row.document.encode(), bytes(row.signature))


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
