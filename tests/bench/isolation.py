"""What the walls cost a page of twenty queries: `bin/bench isolation`.

Every page enters another tenant than the one before, so that role and path are set each time; the comparison
is Django's own backend, logged in with role and path fixed. Both take turns.
"""

import os
import statistics
import sys
import time
from typing import Any

PARTS = "pg,valkey,moto"  # read by bin/bench
PAGES, QUERIES, WARM_UP = 1500, 20, 100
MOST_SHARE, MOST_MS = 0.15, 0.5
QUERY = "SELECT last FROM billing_numberseries WHERE key = %s"


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    import django

    django.setup()
    from tests.twins import make

    tenants = [make(f"page-{n}", name="Page") for n in range(2)]
    fill(tenants)
    plain = [fixed_connection(tenant) for tenant in tenants]
    with_walls, without = [], []
    for number in range(PAGES + WARM_UP):
        which = number % 2
        without.append(timed(page, plain[which]))
        with_walls.append(timed(walled_page, tenants[which]))
    walled, bare = (statistics.median(found[WARM_UP:]) for found in (with_walls, without))
    share, more = walled / bare - 1, walled - bare
    fine = share <= MOST_SHARE and more <= MOST_MS
    print(f"{QUERIES} queries, role and path fixed at log-in: {bare:.2f} ms")
    print(f"{QUERIES} queries, tenant entered for the page:   {walled:.2f} ms")
    print(
        f"+{share:.1%} (at most {MOST_SHARE:.0%}), +{more:.2f} ms (at most {MOST_MS}):"
        f" {'fine' if fine else 'TOO SLOW'}"
    )
    return 0 if fine else 1


def fill(tenants: list[Any]) -> None:
    from billing.models import NumberSeries
    from tenants.context import enter

    for tenant in tenants:
        with enter(tenant):
            NumberSeries.objects.bulk_create(NumberSeries(key=f"k{n}", last=n) for n in range(QUERIES))


def fixed_connection(tenant: Any) -> Any:
    """Django's own backend, which never leaves this tenant."""
    from django.db import connection
    from django.db.backends.postgresql.base import DatabaseWrapper

    options = {"options": f"-c role={tenant.schema_name} -c search_path={tenant.schema_name},public"}
    return DatabaseWrapper({**connection.settings_dict, "OPTIONS": options}, alias=f"plain_{tenant.slug}")


def page(connection: Any) -> None:
    for n in range(QUERIES):
        with connection.cursor() as cursor:
            cursor.execute(QUERY, [f"k{n}"])
            assert cursor.fetchone() == (n,)


def walled_page(tenant: Any) -> None:
    from django.db import connection

    from tenants.context import enter

    with enter(tenant):
        page(connection)


def timed(work: Any, *args: Any) -> float:
    began = time.perf_counter()
    work(*args)
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    sys.exit(main())
