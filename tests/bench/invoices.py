"""How fast the invoice run is against the bare writing of its rows: `bin/bench invoices`.

Each measurement is a process and a tenant of its own, with one subscription a customer. Large runs are
compared with small ones that are made between their chunks: what else the machine does meanwhile hits both.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

PARTS = "pg,valkey,moto"  # read by bin/bench
SIZES = (1_000, 10_000, 50_000)
FLOOR_SIZE, WARM_UP = 10_000, 100
SMALL, MOST_SMALL = 1_000, 20
LEAST_RATIO, MOST_SPREAD = 0.25, 0.20
# A run works in chunks: what it holds must not depend on how much is due. 49,000 invoices more, kept as
# Python objects, would be some hundred megabytes.
MOST_GROWTH_MB = 24
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="due subscriptions")
    parser.add_argument("--one", choices=["run", "floor"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.sizes[0])))
        return 0
    return compare(options.sizes)


def compare(sizes: list[int]) -> int:
    """Measure floor and run at each size, print both, and say whether the promise holds."""
    rounds = [
        (in_a_process("floor", FLOOR_SIZE), *(in_a_process("run", each) for each in sizes)) for _ in "12"
    ]
    best = [max(pair, key=lambda each: float(each["rate"])) for pair in zip(*rounds, strict=True)]
    floor, runs = best[0]["rate"], best[1:]
    print(f"floor: {floor:,.0f} invoices/s (bare COPY of the same rows, {FLOOR_SIZE:,} due, better of two)")
    for each in runs:
        print(
            f"{each['size']:>7,} due: {each['rate']:,.0f} invoices/s ="
            f" {each['rate'] / floor:.2f} of the floor,"
            f" {each['cost']:.0f} µs an invoice ({each['small']:.0f} in runs of {SMALL:,} meanwhile),"
            f" peak memory {each['memory']:.0f} MB"
        )
    ratio = min(each["rate"] for each in runs) / floor
    spread = max(abs(each["cost"] / each["small"] - 1) for each in runs)
    growth = max(each["memory"] for each in runs) - min(each["memory"] for each in runs)
    verdicts = {
        f"ratio {ratio:.2f} (at least {LEAST_RATIO})": ratio >= LEAST_RATIO,
        f"cost per invoice within {spread:.0%} (at most {MOST_SPREAD:.0%})": spread <= MOST_SPREAD,
        f"memory +{growth:.0f} MB from the least to the most (at most {MOST_GROWTH_MB})": (
            growth <= MOST_GROWTH_MB
        ),
    }
    for words, holds in verdicts.items():
        print(f"{words}: {'fine' if holds else 'NOT KEPT'}")
    return 0 if all(verdicts.values()) else 1


def in_a_process(what: str, size: int) -> dict[str, Any]:
    """Measure once in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "tests.bench.invoices", "--one", what, str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(what: str, size: int) -> dict[str, Any]:
    """Make a tenant with so many due subscriptions and bill them."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    django.setup()
    from audit.actors import Actor
    from billing.running import run_invoices
    from proecommerce.starting import start
    from tenants.context import Schema, enter
    from tests.bench import invoices_floor
    from tests.twins import make

    def bill() -> int:
        if what == "floor":
            return invoices_floor.run(NOW)
        return run_invoices(actor=Actor.system("bench"), now=NOW).invoices

    def timed(tenant: Schema, due: int) -> float:
        """Bill all of this tenant; returns the seconds."""
        with enter(tenant):
            begun = time.perf_counter()
            made = bill()
            took = time.perf_counter() - begun
            prove(what, due, made)
        return took

    def ready(due: int) -> Schema:
        tenant: Schema = make(f"b{os.urandom(5).hex()}", name="Bench Hosting")
        with enter(tenant):
            fill(due)
            analyse(tenant.schema_name)
        return tenant

    def run_small(tenant: Schema) -> None:
        meanwhile.append(timed(tenant, SMALL))

    start()  # as a worker does
    timed(ready(WARM_UP), WARM_UP)  # makes the process what a worker is after its first run
    small = [ready(SMALL) for _ in range(min(MOST_SMALL, size // SMALL) if what == "run" else 0)]
    large = ready(size)
    meanwhile: list[float] = []
    with between_chunks(size, [partial(run_small, each) for each in small]):
        took = timed(large, size) - sum(meanwhile)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    each_small = sum(meanwhile) / len(meanwhile) / SMALL * 1e6 if meanwhile else took / size * 1e6
    return {
        "size": size, "rate": size / took, "cost": took / size * 1e6, "small": each_small, "memory": memory,
    }  # fmt: skip


@contextmanager
def between_chunks(size: int, things: list[Callable[[], None]]) -> Iterator[None]:
    """Have these done one after another between the chunks of a run of this size, evenly spread."""
    from billing import due

    usual, waiting, busy = due.chunks, list(things), False
    every = max(1, size // due.CHUNK // max(1, len(things)))

    def chunks(until: date) -> Iterator[list[UUID]]:
        nonlocal busy
        for number, chunk in enumerate(usual(until), 1):
            yield chunk
            if waiting and not busy and number % every == 0:
                busy = True
                waiting.pop()()
                busy = False

    due.chunks = chunks
    try:
        yield
    finally:
        due.chunks = usual


def prove(what: str, size: int, made: int) -> None:
    """A fast run that bills wrongly is none."""
    from billing.ledger_checking import check

    if made != size:
        raise SystemExit(f"{what}: {made} invoices instead of {size}")
    if what == "run" and not (report := check()).is_whole:
        raise SystemExit(f"the ledger check found {report.findings}")


def fill(size: int) -> None:
    """Write customers with one monthly subscription each, due on 1 December, at a few prices and a tax."""
    from django.db import connection, transaction

    from billing.models import TaxRate
    from tenants.ids import new_id
    from tests.billing.invoicing import making

    prices = [making.price(amount).pk for amount in (995, 1990, 2490, 4900, 12900)]
    TaxRate.objects.create(country="DE", tax_class="standard", name="USt", rate_ppm=190_000)
    customers = [new_id() for _ in range(size)]
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(
            "COPY accounts_customer (id, name, business_name, email, phone, address_line1, address_line2,"
            " city, state, postal_code, country, tax_id, currency, locale, status, created_at) FROM STDIN"
        ) as copy:
            for number, customer in enumerate(customers):
                copy.write_row(
                    (customer, f"Customer {number}", f"Business {number} GmbH",
                     f"c{number}@customer.example", "", f"Hauptstr. {number}", "", "Berlin", "", "10115",
                     "DE", "", "EUR", "de", "active", NOW)
                )  # fmt: skip
        with cursor.copy(
            "COPY billing_subscription (id, customer_id, price_id, quantity, description, status, started_on,"
            " anchored_on, next_index, next_due_on, setup_billed, paused_reason, created_at) FROM STDIN"
        ) as copy:
            for row in subscriptions(customers, prices):
                copy.write_row(row)


def subscriptions(customers: list[UUID], prices: list[UUID]) -> Iterator[tuple[Any, ...]]:
    from tenants.ids import new_id

    start = date(2026, 1, 1)
    for number, customer in enumerate(customers):
        price = prices[number % len(prices)]
        due = date(2026, 12, 1)
        yield (new_id(), customer, price, 1, "", "active", start, start, 11, due, True, "", NOW)


def analyse(schema: str) -> None:
    """What autovacuum does within a minute after an import."""
    import psycopg

    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(f"ANALYZE {schema}.accounts_customer, {schema}.billing_subscription")


if __name__ == "__main__":
    sys.exit(main())
