"""What the walls cost a page of twenty queries: `bin/bench isolation`.

Every page enters another tenant than the one before, so that role and path are set each time; the comparison
is Django's own backend, logged in with role and path fixed. All take turns, in an order drawn each time.

The bound is on entering. That a request's tenant is looked up by its host costs one more query and is printed
beside it, measured through `TenantMiddleware`: it is what many tenants on one site cost, walls or none.

A round trip takes 20 or 90 µs by which core the server's process wakes on, which would decide all. So where
that is allowed, this process keeps to one core and the server's to another.
"""

import os
import random
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
    keep_apart(*plain)
    with_walls: list[float] = []
    without: list[float] = []
    by_host: list[float] = []
    for number in range(PAGES + WARM_UP):
        which = number % 2
        turns: list[tuple[list[float], Any, Any]] = [
            (without, page, plain[which]),
            (with_walls, walled_page, tenants[which]),
            (by_host, requested_page, tenants[which]),
        ]
        for found, work, place in random.sample(turns, len(turns)):
            found.append(timed(work, place))
    walled, bare, whole = (statistics.median(found[WARM_UP:]) for found in (with_walls, without, by_host))
    share, more = walled / bare - 1, walled - bare
    fine = share <= MOST_SHARE and more <= MOST_MS
    print(f"{QUERIES} queries, role and path fixed at log-in: {bare:.2f} ms")
    print(f"{QUERIES} queries, tenant entered for the page:   {walled:.2f} ms")
    more_by_host = whole - walled
    print(f"{QUERIES} queries, its host looked up first:      {whole:.2f} ms (+{more_by_host:.2f}, no bound)")
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


def keep_apart(*plain: Any) -> None:
    """Give this process one core and the server's processes for these connections, and ours, another."""
    from django.db import connection

    cores = sorted(os.sched_getaffinity(0))
    backends = [each.connection.info.backend_pid for each in opened(connection, *plain)]
    try:
        for backend in backends:
            os.sched_setaffinity(backend, cores[-1:])
    except OSError as error:
        print(f"(cores not kept apart: {error})", file=sys.stderr)
        return
    os.sched_setaffinity(0, cores[:1])


def opened(*connections: Any) -> tuple[Any, ...]:
    for each in connections:
        each.ensure_connection()
    return connections


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


def requested_page(tenant: Any) -> None:
    """The same behind the middleware, which looks the host up and enters."""
    from django.conf import settings
    from django.db import connection
    from django.http import HttpRequest, HttpResponse

    from tenants.middleware import TenantMiddleware

    def answer(request: HttpRequest) -> HttpResponse:
        page(connection)
        return HttpResponse()

    request = HttpRequest()
    request.META["HTTP_HOST"] = f"{tenant.slug}.{settings.SITE_HOST}"
    TenantMiddleware(answer)(request)


def timed(work: Any, *args: Any) -> float:
    began = time.perf_counter()
    work(*args)
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    sys.exit(main())
