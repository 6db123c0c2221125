"""What it takes to replace every key: `bin/bench keys [TENANTS [VALUES]]`.

The floor does by hand what cannot be saved, in the same run and on the same rows: it opens and seals every
value by the bare cipher, and rewrites every row in batches of the same size.
"""

import os
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

PARTS = "pg,valkey,moto"  # read by bin/bench
TENANTS, VALUES = 200, 100_000
MOST_RATIO, MOST_KEY_SECONDS, MOST_DATA_SECONDS = 6.0, 60.0, 600.0


def main() -> int:
    tenants = int(sys.argv[1]) if len(sys.argv) > 1 else TENANTS
    values = int(sys.argv[2]) if len(sys.argv) > 2 else VALUES
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.vault.settings_sealed"
    import django

    django.setup()
    made = fill(tenants, values)
    floor = timed(lambda: rewrite_all(made))
    data = timed(replace_data_keys)
    keys = timed(rotate_key)
    ratio = data / floor
    fine = ratio <= MOST_RATIO and keys <= MOST_KEY_SECONDS and data <= MOST_DATA_SECONDS
    print(f"{values} values of {tenants} tenants, opened, sealed and rewritten by hand: {floor:.1f} s")
    print(f"rotate_keys --data: {data:.1f} s, {values / data:.0f} values/s (most: {MOST_DATA_SECONDS:.0f} s)")
    print(f"rotate_keys: {keys:.1f} s (at most {MOST_KEY_SECONDS:.0f} s)")
    print(f"{ratio:.2f} × the floor (at most {MOST_RATIO:.0f}): {'fine' if fine else 'TOO SLOW'}")
    return 0 if fine else 1


def fill(count: int, values: int) -> list[Any]:
    from django.core.management import call_command

    from tests.twins import make
    from tests.vault import rotating

    call_command("migrate", verbosity=0)
    tenants = [make(f"keys-{n}", name="Keys") for n in range(count)]
    for tenant in tenants:
        rotating.fill(tenant, values // count // 2)
    return tenants


def rewrite_all(tenants: list[Any]) -> None:
    for tenant in tenants:
        rewrite(tenant)


def rewrite(tenant: Any) -> None:
    """The floor for one tenant."""
    from django.db import connection, transaction

    from tenants.context import enter
    from vault.envelope import SecretKey
    from vault.resealing import BATCH

    key = SecretKey(secrets.token_bytes(32))
    with enter(tenant), connection.cursor() as cursor:
        cursor.execute("SELECT id, first, second FROM sealed_paper ORDER BY id")
        rows = cursor.fetchall()
        for row in rows:
            for blob in row[1:]:
                key.decrypt(key.encrypt(bytes(blob), context=b"floor"), context=b"floor")
        for start in range(0, len(rows), BATCH):
            with transaction.atomic():
                cursor.execute(
                    "UPDATE sealed_paper SET first = first, second = second WHERE id = ANY(%s)",
                    [[row[0] for row in rows[start : start + BATCH]]],
                )


def replace_data_keys() -> None:
    from audit.actors import Actor
    from tenants import rekeying

    rekeying.replace_data_keys(actor=Actor.system("bench"), now=datetime.now(UTC), progress=lambda line: None)


def rotate_key() -> None:
    from audit.actors import Actor
    from tenants import rekeying

    rekeying.rotate_key_encryption_key(
        actor=Actor.system("bench"), now=datetime.now(UTC), progress=lambda line: None
    )


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
