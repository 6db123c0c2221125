"""Many threads, several tenants, one pool of connections: nobody ever sees another's canary."""

import random
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any, cast

import pytest
from django.db import connection, transaction

from billing.models import NumberSeries
from tenants.context import enter, outside
from tenants.errors import NoTenant
from tests.tenants.looking import place, where
from tests.twins import make

THREADS = 16
LEAST = THREADS * 10  # steps, for the load to be one


class Undo(Exception):
    """Raised to roll a block back."""


class Load:
    """What the threads do, and what they found."""

    def __init__(self, tenants: list[Any]) -> None:
        self.tenants = tenants
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.over = threading.Event()

    def run(self, seed: int) -> None:
        dice = random.Random(seed)
        try:
            while not self.over.is_set():
                self.one(dice)
        except Exception as error:
            self.wrong.append(repr(error))
        finally:
            connection.close()

    def one(self, dice: random.Random) -> None:
        tenant, other = dice.sample(self.tenants, 2)
        kind = dice.choice(["read", "transaction", "undone", "nested", "closed", "outside"])
        self.done[kind] += 1
        if kind == "outside":
            with outside():
                self.expect_nothing()
            return
        with enter(tenant):
            if kind == "closed":
                connection.close()
            elif kind == "transaction":
                with transaction.atomic():
                    self.expect(tenant)
            elif kind == "undone":
                self.undone(tenant, other)
            elif kind == "nested":
                with transaction.atomic(), enter(other):
                    self.expect(other)
            self.expect(tenant)

    def undone(self, tenant: Any, other: Any) -> None:
        with suppress(Undo), transaction.atomic():
            with enter(other):
                self.expect(other)
            self.expect(tenant)
            raise Undo

    def expect(self, tenant: Any) -> None:
        found = list(NumberSeries.objects.filter(key__startswith="canary").values_list("key", flat=True))
        if found != [f"canary-{tenant.slug}"] or where() != place(tenant):
            self.wrong.append(f"{tenant.slug} sees {found}")

    def expect_nothing(self) -> None:
        with suppress(NoTenant):
            self.wrong.append(f"outside: {where()}")


def load(seconds: float, count: int) -> Load:
    tenants = [make(f"canary-{n}-{random.getrandbits(40):x}", name=f"Canary {n}") for n in range(count)]
    for tenant in tenants:
        with enter(tenant):
            NumberSeries.objects.create(key=f"canary-{tenant.slug}", last=1)
    work = Load(tenants)
    threads = [threading.Thread(target=work.run, args=(seed,)) for seed in range(THREADS)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    deadline = time.monotonic() + 60  # a machine may be slow
    while work.done.total() <= LEAST and time.monotonic() < deadline:
        time.sleep(0.1)
    work.over.set()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return work


def held(work: Load) -> None:
    assert work.wrong == []
    assert set(work.done) == {"read", "transaction", "undone", "nested", "closed", "outside"}
    pool = cast(Any, connection).pool
    assert pool.get_stats()["pool_max"] == 20
    assert work.done.total() > LEAST


def test_sixteen_threads_see_only_the_tenant_that_they_entered(committed: None) -> None:
    held(load(3, 5))


@pytest.mark.long
def test_sixteen_threads_for_a_minute(committed: None) -> None:
    held(load(60, 50))
