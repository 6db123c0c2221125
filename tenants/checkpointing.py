"""Signed checkpoints over the chains of all schemas: taken, and put outside; `tenants.testimony` checks them.

A chain proves that nothing inside it was changed; a checkpoint, that the whole was not written anew; and the
copy outside, that the checkpoints were not either.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from audit import checkpoints
from audit.checkpoints import FIRST, Head, Read, Signed
from audit.models import Anchor, AuditEvent, ChainHead, Checkpoint
from audit.retention import MONEY, months_before
from audit.store_gateway import OutsideStore, S3Store
from tenants.context import enter, enter_public
from tenants.directory import every_tenant
from tenants.ids import new_id
from tenants.jobs import enqueue
from tenants.postgresql.base import PUBLIC
from vault import signing

LATE = timedelta(minutes=15)  # as promised: a checkpoint, and its copy outside, are never further apart
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
        known = {head.schema: head for found in latest() for head in found.heads}
        heads = list(_heads(known))
        # What does not say how much of it is money would be counted whole each time until it is listed anew.
        unsaid = any(head.money is None for head in known.values())
        complete = last is None or last.at.date() != now.date() or unsaid
        shown = heads if complete else [head for head in heads if _moved(head, known)]
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
        put_outside(store, each)
        with enter_public():
            done += Checkpoint.objects.filter(pk=each.pk, stored_at__isnull=True).update(stored_at=now)
    return done


def late(*, now: datetime) -> str | None:
    """Return what is wrong with how checkpoints follow each other, in words; in the shared schema."""
    last = Checkpoint.objects.order_by("-number").values_list("at", flat=True).first()
    begun = last or AuditEvent.objects.order_by("seq").values_list("at", flat=True).first()
    if last is not None and last > now + LATE:
        return f"The audit record's last checkpoint is dated ahead, {last:%Y-%m-%d %H:%M} UTC: none is taken."
    if begun is not None and begun < now - LATE:
        return (
            f"The audit record has had no checkpoint since {begun:%Y-%m-%d %H:%M} UTC: look at the workers."
        )
    waiting = Checkpoint.objects.filter(stored_at__isnull=True, at__lt=now - LATE).order_by("number").first()
    if settings.AUDIT_BUCKET and waiting is not None:
        return (
            f"Checkpoints since {waiting.at:%Y-%m-%d %H:%M} UTC have no copy outside: look at AUDIT_BUCKET."
        )
    return None


def put_outside(store: OutsideStore, row: Checkpoint) -> None:
    """Put the copy of a checkpoint outside, locked for as long as it is kept. Talks to S3."""
    keep = months_before(row.at, -12 * settings.AUDIT_KEEP_YEARS)
    key, body = checkpoints.key_of(row.number, row.at), checkpoints.packed(signed_of(row))
    store.put(key, body, keep_until=keep)


def outside_store() -> OutsideStore:
    """Return the store outside, as the settings have it."""
    return S3Store(
        bucket=settings.AUDIT_BUCKET,
        region=settings.AWS_DEFAULT_REGION,
        endpoint=settings.AWS_ENDPOINT_URL,
    )


def latest() -> list[Read]:
    """Return the newest checkpoints, from the last that lists every chain on: what is signed by our key."""
    keys = signing.get_signer().public_keys
    found = (checkpoints.read_signed(signed_of(row), keys, signing.is_signed) for row in latest_rows())
    return [each for each in found if each is not None]


def latest_rows() -> list[Checkpoint]:
    """Return the rows of the newest checkpoints, from the last that lists every chain on."""
    with enter_public():
        complete = Checkpoint.objects.filter(document__contains='"complete":true')
        begin = complete.order_by("-number").values_list("number", flat=True).first()
        return list(Checkpoint.objects.filter(number__gte=begin or 1).order_by("number"))


def signed_of(row: Checkpoint) -> Signed:
    """Return the row's text with its signature."""
    return Signed(row.document.encode(), bytes(row.signature))


def _heads(known: Mapping[str, Head]) -> Iterator[Head]:
    """The head of every chain, the platform's first; each read in its own schema."""
    yield _head(PUBLIC, known)
    for tenant in every_tenant():
        with enter(tenant):
            yield _head(tenant.schema_name, known)


def _head(schema: str, known: Mapping[str, Head]) -> Head:
    head = ChainHead.objects.get()
    before = known.get(schema)
    # Goes on from what the last checkpoint counted; the first time, what stands is what ever was.
    since, money = (before.seq, before.money) if before and before.money is not None else (0, 0)
    if head.seq > since:
        kinds = reduce(or_, (Q(action__startswith=kind) for kind in MONEY))
        money += AuditEvent.objects.filter(kinds, seq__gt=since, seq__lte=head.seq).count()
    return Head(schema, head.seq, bytes(head.hash), head.seq - head.purged, money)


def _moved(head: Head, known: Mapping[str, Head]) -> bool:
    before = known.get(head.schema)
    return before is None or before.seq != head.seq


def _anchor(taken: Checkpoint, head: Head) -> Anchor:
    return Anchor(
        id=new_id(), checkpoint=taken, at=taken.at, schema_name=head.schema, seq=head.seq, hash=head.hash
    )
