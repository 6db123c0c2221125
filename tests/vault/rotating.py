"""Work for processes of their own: papers to seal, and readers and writers beside a rotation.

python -m tests.vault.rotating fill ROWS SLUG…      python -m tests.vault.rotating load STOP_FILE SLUG…
"""

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.vault.settings_sealed"
THREADS = 4


def main(verb: str, what: str, *slugs: str) -> None:
    import django

    django.setup()
    from tenants.context import enter_public
    from tenants.directory import tenant_of_slug
    from vault import datakeys, subject_keys
    from vault.keyring import get_keyring

    tenants = [tenant_of_slug(slug) for slug in slugs]
    if verb == "fill":
        for tenant in tenants:
            fill(tenant, int(what))
        with enter_public():  # the platform has keys of its own
            datakeys.prepare()
            subject_keys.seal("user", "1", "text", context="tests")
    else:
        datakeys.HOLD_SECONDS = 0.2  # so that it meets what is wrapped anew while it runs
        work = Load(tenants, Path(what))
        work.run()
        told = {"done": work.done, "failed": work.failed[:5], "slowest_ms": work.slowest * 1e3}
        print(json.dumps(told | {"knows": sorted(get_keyring()._keys().keys)}))


def fill(tenant: Any, rows: int) -> None:
    """Two sealed values a row."""
    from django.db import transaction

    from tenants.context import enter
    from tests.vault.sealed.models import Paper
    from vault import subject_keys

    with enter(tenant), transaction.atomic():
        subject_keys.seal("user", "1", "text", context="tests")
        Paper.objects.bulk_create([a_paper() for _ in range(rows)], batch_size=500)


def a_paper() -> Any:
    from tests.vault.sealed.models import Paper

    key = uuid4()
    return Paper(id=key, first=f"{key} one", second=f"{key} two")


class Load:
    """Threads that read and write until a file appears; every failure is kept."""

    def __init__(self, tenants: list[Any], stop: Path) -> None:
        self.tenants, self.stop = tenants, stop
        self.done: Counter[str] = Counter()
        self.failed: list[str] = []
        self.slowest = 0.0

    def run(self) -> None:
        threads = [threading.Thread(target=self.work, args=(seed,)) for seed in range(THREADS)]
        for thread in threads:
            thread.start()
        print("ready", flush=True)
        for thread in threads:
            thread.join()

    def work(self, seed: int) -> None:
        from django.db import connection

        dice = random.Random(seed)
        while not self.stop.exists():
            kind = dice.choice(["read", "read", "change", "resave", "create"])
            began = time.monotonic()
            try:
                getattr(self, kind)(dice.choice(self.tenants), dice)
                self.done[kind] += 1
            except Exception as error:
                self.failed.append(f"{kind}: {error!r}")
            self.slowest = max(self.slowest, time.monotonic() - began)
            time.sleep(0.03)  # what it creates has to be rotated as well
        connection.close()

    def read(self, tenant: Any, dice: random.Random) -> None:
        from tenants.context import enter
        from tests.vault.sealed.models import Paper

        with enter(tenant):
            for paper in Paper.objects.filter(id__gte=self.somewhere(dice)).order_by("id")[:3]:
                assert paper.first.reveal().startswith(str(paper.pk)), "a text of another row"
                assert paper.second is not None
                assert paper.second.reveal().startswith(str(paper.pk)), "a text of another row"

    def change(self, tenant: Any, dice: random.Random) -> None:
        from django.db import transaction

        from tenants.context import enter

        with enter(tenant), transaction.atomic():
            paper = self.some(dice)
            paper.first = f"{paper.pk} {dice.random()}"
            time.sleep(0.02)
            paper.save(update_fields=["first"])

    def resave(self, tenant: Any, dice: random.Random) -> None:
        """Save all columns of a row that was read a while ago, as forms do."""
        from tenants.context import enter

        with enter(tenant):
            paper = self.some(dice)
            time.sleep(0.05)
            paper.saves += 1
            paper.save()

    def create(self, tenant: Any, dice: random.Random) -> None:
        from django.db import transaction

        from tenants.context import enter

        with enter(tenant), transaction.atomic():
            a_paper().save(force_insert=True)
            time.sleep(0.02)

    def some(self, dice: random.Random) -> Any:
        from tests.vault.sealed.models import Paper

        found = Paper.objects.filter(id__gte=self.somewhere(dice)).order_by("id").first()
        return found or Paper.objects.order_by("id")[0]

    @staticmethod
    def somewhere(dice: random.Random) -> str:
        return f"{dice.getrandbits(32):08x}-0000-0000-0000-000000000000"


if __name__ == "__main__":
    main(*sys.argv[1:])
