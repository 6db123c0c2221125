"""What a copy of data costs, in time and memory, whatever the number of rows: `bin/bench copies [ROWS]`.

The floor reads the same rows through the same kind of cursor, and writes nothing.
"""

import os
import resource
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import BinaryIO

PARTS = "pg,valkey,moto"  # read by bin/bench
ROWS = 100_000
MOST_SECONDS, MOST_GROWTH_KIB = 600.0, 32_768
CUSTOMERS = (
    "INSERT INTO accounts_customer (id, name, business_name, email, phone, address_line1, address_line2,"
    " city, state, postal_code, country, tax_id, currency, locale, status, created_at)"
    " SELECT gen_random_uuid(), repeat('n', 80) || at, repeat('b', 80), 'x@x.example', '', repeat('a', 90),"
    " '', 'Hamburg', '', '20457', 'DE', '', 'EUR', 'en', 'active', now() FROM generate_series(1, %s) at"
)


def main() -> int:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    os.environ["DJANGO_SETTINGS_MODULE"] = "proecommerce.settings"
    import django

    django.setup()
    with TemporaryFile() as file:
        done = measure(rows, file)
    fine = done.took <= MOST_SECONDS and done.grown_kib <= MOST_GROWTH_KIB
    print(f"{rows} rows read twice: {done.floor:.1f} s")
    print(
        f"copy: {done.took:.1f} s, {rows / done.took:.0f} rows/s, {done.size >> 10} KiB"
        f" (at most {MOST_SECONDS:.0f} s)"
    )
    print(
        f"{done.took / done.floor:.1f} × the floor; {done.grown_kib} KiB more memory"
        f" (at most {MOST_GROWTH_KIB})"
    )
    print("fine" if fine else "TOO MUCH")
    return 0 if fine else 1


@dataclass(frozen=True)
class Packed:
    """What a copy took: seconds of the floor and of the copy, bytes, memory; and the key of its file."""

    floor: float
    took: float
    size: int
    grown_kib: int
    key: str


def measure(rows: int, file: BinaryIO) -> Packed:
    """Make a workspace with so many customers, and write the copy of them, sealed, into the file."""
    from django.db import connection

    from privacy import access, packing
    from tenants.context import enter
    from tests.twins import make
    from vault.files import Sealer, new_key

    with enter(make(f"copy{os.urandom(4).hex()}", name="Copies")):
        with connection.cursor() as cursor:
            cursor.execute(CUSTOMERS, [rows])
        tables = [table for table in access.tables_of_workspace() if table.label == "accounts.Customer"]
        begun = time.monotonic()
        with packing.one_moment():
            for _ in range(2):  # the copy reads each row twice, for the files and for the dump
                number = sum(1 for table in tables for _ in table.stream())
        if number != rows:
            raise SystemExit(f"{number} rows were read instead of {rows}")
        floor, before = time.monotonic() - begun, memory_kib()
        begun = time.monotonic()
        sealer = Sealer(file, key := new_key(), context="bench")
        packing.pack(sealer, tables, packing.Heading("x", "y", datetime.now(UTC)))
        sealer.finish()
        return Packed(floor, time.monotonic() - begun, file.tell(), memory_kib() - before, key)


def memory_kib() -> int:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main())
