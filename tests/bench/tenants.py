"""What a tenant costs: `bin/bench tenants [HOW_MANY]`.

A new tenant against the bare DDL of as many tables and indexes, and one added column with its index over many
tenants. Floor and measurement take turns, so that both meet the same machine.
"""

import os
import statistics
import sys
import time
from typing import Any

import psycopg

PARTS = "pg,valkey,moto"  # read by bin/bench
TURNS = 25
TENANTS = 500
MOST_RATIO, MOST_MS_A_TENANT = 3.0, 10.0
COLUMNS = "acef"


def main() -> int:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else TENANTS
    # The stack is migrated by the product's own settings; these know one migration more.
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.tenants.settings_widened"
    import django

    django.setup()
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        fine = new_tenants(owner)
        fine = migrated_tenants(owner, many) and fine
    return 0 if fine else 1


def new_tenants(owner: "psycopg.Connection[Any]") -> bool:
    """Compare `create_tenant` and the function in it with the floor."""
    tables, indexes = count(owner)
    floor, schema, whole = [], [], []
    for turn in range(TURNS):
        floor.append(timed(lambda n=turn: owner.execute(bare_ddl(f"floor{n}", tables, indexes))))
        schema.append(timed(lambda n=turn: in_public("SELECT provision_schema(%s)", f"t_bare_{n}")))
        whole.append(timed(lambda n=turn: sign_up(f"whole-{n}")))
        owner.execute(f"DROP SCHEMA floor{turn} CASCADE")
    ratio = statistics.median(schema) / statistics.median(floor)
    fine = ratio <= MOST_RATIO
    print(f"floor, {tables} tables and {indexes} indexes in one round trip: {figures(floor)}")
    print(f"a tenant's schema, role and rights in one round trip: {figures(schema)}")
    print(f"a whole tenant (row, host, schema, keys, audit, settings): {figures(whole)}")
    print(f"{ratio:.2f} × the floor (at most {MOST_RATIO:.0f}): {'fine' if fine else 'TOO SLOW'}")
    return fine


def migrated_tenants(owner: "psycopg.Connection[Any]", many: int) -> bool:
    """Add a column with an index to every tenant by `migrate`, and by hand for comparison."""
    from tenants import migrating
    from tenants.owner import as_owner

    make_tenants(many)
    with as_owner():
        migrating.migrate_template(progress=print)
        began = time.perf_counter()
        changed = migrating.migrate_tenants(progress=lambda line: None)
        each = (time.perf_counter() - began) / changed * 1e3
    schemas = [row[0] for row in owner.execute("SELECT schema_name FROM public.tenants_tenant").fetchall()]
    began = time.perf_counter()
    for schema in schemas:
        by_hand = "ALTER TABLE billing_product ADD COLUMN bare int NOT NULL DEFAULT 0"
        index = "CREATE INDEX ON billing_product (bare)"
        owner.execute(f"BEGIN; SET LOCAL search_path = {schema}; {by_hand}; {index}; COMMIT")
    bare = (time.perf_counter() - began) / len(schemas) * 1e3
    fine = each <= MOST_MS_A_TENANT and changed == len(schemas)
    print(f"the bare statements over the same schemas: {bare:.1f} ms each")
    print(
        f"{changed} tenants migrated by one column and its index: {each:.1f} ms each"
        f" (at most {MOST_MS_A_TENANT:.0f}): {'fine' if fine else 'TOO SLOW'}"
    )
    return fine


def count(owner: "psycopg.Connection[Any]") -> tuple[int, int]:
    """How many tables and indexes a tenant has."""
    found = owner.execute(
        "SELECT count(*) FILTER (WHERE relkind = 'r'), count(*) FILTER (WHERE relkind = 'i')"
        " FROM pg_class WHERE relnamespace = 'tenant_template'::regnamespace"
    ).fetchone()
    assert found is not None
    return found[0], found[1]


def bare_ddl(schema: str, tables: int, indexes: int) -> str:
    """As many tables and indexes: a primary and a unique key each, the rest spread out; a key to the next."""
    parts = [f"CREATE SCHEMA {schema}; SET search_path = {schema}"]
    parts += [
        f"CREATE TABLE t{n} (id uuid PRIMARY KEY, a text NOT NULL, b bigint CHECK (b >= 0),"
        " c timestamptz NOT NULL DEFAULT now(), d jsonb, e uuid, f uuid, g varchar(80) UNIQUE, h int)"
        for n in range(tables)
    ]
    parts += [
        f"CREATE INDEX ON t{n % tables} ({COLUMNS[n // tables % len(COLUMNS)]})"
        for n in range(max(0, indexes - 2 * tables))
    ]
    parts += [
        f"ALTER TABLE t{n} ADD FOREIGN KEY (e) REFERENCES t{n - 1} (id) DEFERRABLE INITIALLY DEFERRED"
        for n in range(1, tables)
    ]
    return "; ".join(parts)


def in_public(query: str, *params: str) -> None:
    from django.db import connection

    from tenants.context import enter_public

    with enter_public(), connection.cursor() as cursor:
        cursor.execute(query, params)


def sign_up(slug: str) -> None:
    from tests.twins import make

    make(slug, name="Bench")


def make_tenants(many: int) -> None:
    """Tenants without what sign-up adds: their rows and schemas."""
    from datetime import UTC, datetime

    from tenants.context import enter_public
    from tenants.models import Tenant

    began, now = time.perf_counter(), datetime.now(UTC)
    for n in range(many):
        slug = f"many-{n}"
        schema = f"t_many_{n}"
        with enter_public():
            Tenant.objects.create(
                slug=slug,
                schema_name=schema,
                name=slug,
                country="DE",
                currency="EUR",
                created_at=now,
            )
        in_public("SELECT provision_schema(%s)", schema)
    print(f"{many} tenants made in {time.perf_counter() - began:.0f} s")


def timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def figures(found: list[float]) -> str:
    return f"median {statistics.median(found):.0f} ms, best {min(found):.0f}, worst {max(found):.0f}"


if __name__ == "__main__":
    sys.exit(main())
