"""What the audit record costs to write and to check: `bin/bench audit`.

Checking is set against bare hashing of the same bytes in the same run; writing is that of one person's money
action, committed to the disk each time.
"""

import argparse
import hashlib
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PARTS = "pg,valkey,moto"  # read by bin/bench
EVENTS, ACTIONS, CHUNK = 200_000, 1_000, 5_000
LEAST_VERIFIED, LEAST_RATIO = 100_000, 0.10
MOST_P99_MS, LEAST_ACTIONS = 10, 300
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=EVENTS)
    count: int = parser.parse_args().events
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    django.setup()
    from tenants.context import enter
    from tests.twins import make

    with enter(make(f"b{os.urandom(5).hex()}", name="Bench Hosting")):
        fill(count)
        verdicts = {**check_speed(count), **write_speed()}
    for words, holds in verdicts.items():
        print(f"{words}: {'fine' if holds else 'NOT KEPT'}")
    return 0 if all(verdicts.values()) else 1


def fill(count: int) -> None:
    """Write events as a busy tenant has them: nine of ten by the system, the rest by people."""
    from django.db import transaction

    from audit.actions import Action
    from audit.actors import Actor
    from audit.recording import Note, record_many

    for start in range(0, count, CHUNK):
        by = person(start) if start // CHUNK % 10 == 9 else Actor.system("invoice run")
        notes = [
            Note(
                Action.INVOICE_ISSUED, "invoice", f"00000000-0000-7000-8000-{n:012d}",
                {"after": {"number": f"B-{n:07d}", "total": n, "currency": "EUR"}, "series": "B", "n": n},
            )
            for n in range(start, start + CHUNK)
        ]  # fmt: skip
        with transaction.atomic():
            record_many(notes, actor=by, now=NOW)


def person(number: int) -> Any:
    from audit.actors import Actor

    return Actor("user", str(number % 50), f"Person {number}", "192.0.2.7", "Mozilla/5.0 (X11; Linux x86_64)")


def check_speed(count: int) -> dict[str, bool]:
    before = time.process_time(), server_seconds()
    rate = verified(count)
    ours, theirs = time.process_time() - before[0], server_seconds() - before[1]
    print(
        f"  processor time an event: {ours / 3 / count * 1e6:.1f} µs here, {theirs / 3 / count * 1e6:.1f} µs"
        f" in the database; one after the other {count * 3 / (ours + theirs):,.0f} events/s on a free machine"
    )
    bare = bare_rate()
    print(f"verified: {rate:,.0f} events/s of {count:,} (best of three); bare hashing: {bare:,.0f}/s")
    return {
        f"verified {rate:,.0f}/s (at least {LEAST_VERIFIED:,})": rate >= LEAST_VERIFIED,
        f"ratio {rate / bare:.2f} (at least {LEAST_RATIO})": rate / bare >= LEAST_RATIO,
    }


def verified(count: int) -> float:
    """The events a second of the best of three walks over the chain."""
    from audit.verifying import verify

    rates = []
    for _ in range(3):
        begun = time.perf_counter()
        verdict = verify()
        rates.append(verdict.events / (time.perf_counter() - begun))
        if verdict.problem or verdict.events < count:
            raise SystemExit(f"the chain is not whole: {verdict}")
    return max(rates)


def server_seconds() -> float:
    """The processor time that this connection's server process has had so far (Linux)."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bare_rate() -> float:
    """Hash the same bytes, which are in memory already, and do nothing else."""
    from django.db import connection

    from audit.verifying import LINKS

    with connection.cursor() as cursor:
        cursor.execute(LINKS, [0, 50_000, 0, 50_000])
        texts = [bytes(row[3]) for row in cursor.fetchall()]
    begun, digest = time.perf_counter(), bytes(32)
    for text in texts:
        digest = hashlib.sha256(b"proecommerce-audit-2\0" + digest + text).digest()
    return len(texts) / (time.perf_counter() - begun)


def write_speed() -> dict[str, bool]:
    took, recorded, bare = written()
    rate = len(took) / sum(took)
    p99, whole = p99_ms(recorded), p99_ms(took)
    print(
        f"recorded: {rate:,.0f} actions/s, each committed; p99 {p99:.1f} ms, with its commit {whole:.1f} ms;"
        f" a bare row, committed, in between: {len(bare) / sum(bare):,.0f}/s"
    )
    return {
        f"record() p99 {p99:.1f} ms (at most {MOST_P99_MS})": p99 <= MOST_P99_MS,
        f"{rate:,.0f} actions/s (at least {LEAST_ACTIONS})": rate >= LEAST_ACTIONS,
    }


def p99_ms(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1e3


def written() -> tuple[list[float], list[float], list[float]]:
    """Seconds of each action with its commit, of recording alone, and of a bare row committed in between."""
    from django.db import connection, transaction

    from audit.actions import Action
    from audit.recording import record

    took, empty, bare = [], [], []
    for number in range(ACTIONS):
        begun = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE audit_chainhead SET seq = seq")
        bare.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        with transaction.atomic():
            recorded = time.perf_counter()
            record(
                Action.PAYMENT_RECORDED, subject=("payment", number), actor=person(number), now=NOW,
                amount=number, currency="EUR", personal={"note": "by bank"}, about=("customer", number % 50),
            )  # fmt: skip
            empty.append(time.perf_counter() - recorded)
        took.append(time.perf_counter() - begun)
    return took, empty, bare


if __name__ == "__main__":
    sys.exit(main())
