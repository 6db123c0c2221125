"""Replacing keys over all schemas: the platform's, and every tenant's whatever its state."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.context import Public, Schema, enter, enter_public
from tenants.directory import every_tenant
from tenants.errors import KeysLeft, RotationBusy, ValuesLeft
from vault import resealing, rotation
from vault.errors import VaultError

ROTATION_LOCK = 0x6B657973  # "keys"
Progress = Callable[[str], None]


def rotate_key_encryption_key(*, actor: Actor, now: datetime, progress: Progress, wait: float = 0) -> int:
    """Make a new key-encryption key and wrap every data and subject key by it; returns how many data keys.

    Nothing is wrapped by it for the first `wait` seconds: with `vault.keyring.SPREAD_SECONDS` the processes
    that run have read it by then, and need Secrets Manager no more than before. Raises `KeysLeft` when some
    schema's keys do not open; those of all others are wrapped.
    """
    with _alone():
        version = rotation.add_key_encryption_key()
        progress(f"new key-encryption key {version}")
        if wait:
            progress(f"waiting {wait:.0f} seconds, until every running process has read it")
            time.sleep(wait)
        total = people = 0
        problems: dict[str, str] = {}
        places: list[Schema] = [*every_tenant(), Public()]
        for place in places:
            try:
                with enter(place), transaction.atomic():
                    wrapped, persons = rotation.rewrap_data_keys(), rotation.rewrap_subject_keys()
            except VaultError as error:
                problems[place.schema_name] = str(error)
                progress(f"{place.schema_name}: {error}")
                continue
            total, people = total + wrapped, people + persons
        with enter_public(), transaction.atomic():
            record(
                Action.KEYS_ROTATED, subject=("vault", version), actor=actor, now=now,
                wrapped=total, people=people, left=sorted(problems),
            )  # fmt: skip
        progress(f"{total} data keys and {people} subject keys wrapped by it")
        if problems:
            raise KeysLeft(problems)
        return total


def replace_data_keys(
    *, actor: Actor, now: datetime, progress: Progress, batch: int = resealing.BATCH
) -> int:
    """Give every schema a new data key and seal all its values by it; returns how many values.

    Goes on with a run that was interrupted. Raises `ValuesLeft` when some could not be sealed anew,
    `KeysLeft` when the keys of some schema do not open; those are kept in use, all others are done.
    """
    with _alone():
        with enter_public(), transaction.atomic():
            made_before = resealing.begin_run()
        total, left, problems = 0, {}, {}
        # The platform's key comes last: as long as its old one is there, the run is not over.
        for tenant in every_tenant():
            try:
                with enter(tenant):
                    outcome = _replace_one(made_before, actor=actor, now=now, batch=batch)
            except VaultError as error:
                problems[tenant.schema_name] = str(error)
                progress(f"{tenant.schema_name}: {error}")
                continue
            total += outcome.resealed
            progress(f"{tenant.schema_name}: {outcome.resealed} values")
            if outcome.left:
                left[tenant.schema_name] = outcome.left
        if problems:
            raise KeysLeft(problems)
        if left:
            raise ValuesLeft(left)
        with enter_public():
            outcome = _replace_one(made_before, actor=actor, now=now, batch=batch)
        if outcome.left:
            raise ValuesLeft({"public": outcome.left})
        return total + outcome.resealed


def _replace_one(made_before: datetime, *, actor: Actor, now: datetime, batch: int) -> resealing.Outcome:
    outcome = resealing.replace_data_key(made_before=made_before, batch=batch)
    if outcome.left:
        return outcome
    with transaction.atomic():
        retired = resealing.retire_older_keys(now=now)
        if retired:
            record(
                Action.DATA_KEY_REPLACED,
                subject=("datakey", outcome.key_id),
                actor=actor,
                now=now,
                retired=retired,
                resealed=outcome.resealed,
            )
    return outcome


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time; the lock goes with this thread's connection, however the process ends."""
    with enter_public(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ROTATION_LOCK])
        if not cursor.fetchone()[0]:
            raise RotationBusy
    try:
        yield
    finally:
        with enter_public(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ROTATION_LOCK])
