"""Migrations over many schemas: planned once, replayed, resumable; all ways to a schema end in the same."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.tenants.scratch import Scratch, scratch

WIDENED, FILLED = "tests.tenants.settings_widened", "tests.tenants.settings_filled"
COLUMN = (
    "SELECT count(*) FROM information_schema.columns"
    " WHERE table_name = 'billing_product' AND column_name = 'shelf'"
)
LATER = ["shell", "-v0", "-c", "from tests.twins import make; make('later', name='Later')"]

# Django's own migration run, a schema of its own, and the rights that every tenant gets.
BY_DJANGO = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from tenants import migrating
from tenants.context import enter, enter_public
from tenants.owner import as_owner

schema = migrating._Schema("t_migrated_by_django")
with as_owner():
    with enter_public(), connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS t_migrated_by_django")
        cursor.execute("CREATE ROLE t_migrated_by_django NOLOGIN")
        cursor.execute("CREATE SCHEMA t_migrated_by_django")
    with enter(schema):
        plan = migrating._plan()
        MigrationExecutor(connection).migrate([(m.app_label, m.name) for m in plan])
        migrating._grant(schema)
    print(len(plan))
"""


@pytest.fixture
def database(django_db_setup: None) -> Iterator[Scratch]:
    with scratch() as found:
        yield found


def applied(database: Scratch, schema: str) -> set[str]:
    return {row[0] for row in database.rows(f"SELECT app || '.' || name FROM {schema}.django_migrations")}


def add_product(database: Scratch, schema: str, name: str) -> None:
    with database.owner() as owner:
        owner.execute(
            f"INSERT INTO {schema}.billing_product"
            " (id, code, name, description, tax_class, is_active, created_at)"
            " VALUES (gen_random_uuid(), %s, %s, '', 'standard', true, now())",
            [uuid4().hex, name],
        )


def test_a_replayed_and_a_migrated_schema_are_identical(database: Scratch) -> None:
    done = database.manage("shell", "-v0", "-c", BY_DJANGO)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == database.rows("SELECT count(*) FROM tenants_migrationstep")[0][0] > 5
    migrated = database.dump("t_migrated_by_django", rows=False)
    assert len(migrated) > 500
    assert database.dump("t_alpha", rows=False) == migrated
    assert applied(database, "t_alpha") == applied(database, "t_migrated_by_django")
    with database.owner() as owner:  # the untouched one has the rows of a replayed one, which nobody has used
        owner.execute("SELECT provision_schema('t_replayed')")
    assert database.dump("t_replayed") == database.dump("t_migrated_by_django")


def test_an_added_column_reaches_the_tenants_there_are_and_those_to_come(database: Scratch) -> None:
    before = applied(database, "t_alpha")
    done = database.manage("migrate", settings=WIDENED)
    assert done.returncode == 0, done.stderr
    assert "template: billing.n001_shelf" in done.stdout
    assert "tenants: 3 of 3" in done.stdout
    assert "up to date; 3 tenants changed" in done.stdout
    assert database.rows(COLUMN) == [(4,)]  # alpha, beta, the crowd, the template
    assert applied(database, "t_alpha") - before == {"billing.n001_shelf"}
    assert database.manage(*LATER, settings=WIDENED).returncode == 0
    assert applied(database, "t_later") == applied(database, "t_alpha")
    alpha = database.dump("t_alpha", rows=False)
    assert any("product_by_shelf" in line for line in alpha)
    assert database.dump("t_later", rows=False) == alpha
    again = database.manage("migrate", settings=WIDENED)
    assert "up to date; 0 tenants changed" in again.stdout


def test_a_migration_in_python_runs_in_each_tenant_and_a_failure_stops_where_it_can_go_on(
    database: Scratch,
) -> None:
    add_product(database, "t_alpha", "four")
    add_product(database, "t_beta", "spoiled")
    failed = database.manage("migrate", settings=FILLED)
    assert failed.returncode == 1
    assert "t_beta: billing.n003_fill failed and was rolled back (this product has no shelf)" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert database.rows("SELECT name, shelf FROM t_alpha.billing_product") == [("four", 4)]
    assert database.rows("SELECT name, shelf FROM t_beta.billing_product") == [("spoiled", 0)]
    assert "billing.n002_shelves" in applied(database, "t_beta")
    assert "billing.n003_fill" not in applied(database, "t_beta")
    with database.owner() as owner:
        owner.execute("UPDATE t_beta.billing_product SET name = 'mended'")
    done = database.manage("migrate", settings=FILLED)
    assert done.returncode == 0, done.stderr
    assert "up to date; 2 tenants changed" in done.stdout  # beta, and the crowd behind it
    assert database.rows("SELECT name, shelf FROM t_beta.billing_product") == [("mended", 6)]
    # New tables are the tenant's to use; a tenant made afterwards starts with what the migration puts in.
    assert database.manage(*LATER, settings=FILLED).returncode == 0
    assert database.dump("t_later", rows=False) == database.dump("t_alpha", rows=False)
    for schema in ("t_alpha", "t_beta", "t_later"):
        assert database.rows(f"SELECT name FROM {schema}.billing_shelf") == [("first",)]
        rights = f"SELECT has_table_privilege('{schema}', '{schema}.billing_shelf', 'INSERT')"
        assert database.rows(rights) == [(True,)]


def test_a_tenant_whose_tables_are_in_use_is_left_for_later_and_said_so(database: Scratch) -> None:
    with database.owner() as busy, busy.transaction():
        busy.execute("LOCK TABLE t_alpha.billing_product IN ACCESS SHARE MODE")
        failed = database.manage("migrate", "--lock-timeout", "100", settings=WIDENED)
    assert failed.returncode == 1
    assert "tenants: t_alpha is busy" in failed.stdout
    assert "1 tenants were busy and are not migrated: t_alpha. All others are." in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "billing.n001_shelf" not in applied(database, "t_alpha")
    assert "billing.n001_shelf" in applied(database, "t_beta")
    done = database.manage("migrate", settings=WIDENED)
    assert "up to date; 1 tenants changed" in done.stdout
    assert database.dump("t_alpha", rows=False) == database.dump("t_beta", rows=False)


def test_one_tenant_may_go_first(database: Scratch) -> None:
    done = database.manage("migrate", "--tenant", "t_beta", settings=WIDENED)
    assert "up to date; 1 tenants changed" in done.stdout
    assert "billing.n001_shelf" not in applied(database, "t_alpha")
    assert "billing.n001_shelf" in applied(database, "t_beta")


UNKNOWN = {
    "CREATE VIEW tenant_template.seen AS SELECT 1 AS one": "relation seen (v)",
    "CREATE SEQUENCE tenant_template.counted": "sequence counted",
    "CREATE TYPE tenant_template.mood AS ENUM ('good')": "type mood",
    "COMMENT ON TABLE tenant_template.billing_product IS 'x'": "comment on billing_product",
    "ALTER TABLE tenant_template.audit_auditevent DISABLE TRIGGER append_only": "trigger append_only is",
    "ALTER TABLE tenant_template.billing_price ENABLE ROW LEVEL SECURITY": "relation billing_price (r)",
    "ALTER TABLE tenant_template.billing_product SET (fillfactor = 50)": "relation billing_product (r)",
    "CREATE STATISTICS tenant_template.s ON id, cycle FROM tenant_template.billing_price": "statistics s",
    "ALTER TABLE tenant_template.billing_refund ADD CHECK (amount < 0) NOT VALID": "is not valid",
    "ALTER TABLE tenant_template.billing_product ALTER description SET STORAGE MAIN": "storage of",
}


def test_the_blueprint_refuses_what_it_cannot_write(database: Scratch) -> None:
    with database.owner() as owner:
        for statement in UNKNOWN:
            owner.execute(statement)
        owner.execute("DELETE FROM tenants_blueprint")
    failed = database.manage("migrate", "-v0")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "tenants/blueprint.py cannot write: " in failed.stderr
    assert [named for named in UNKNOWN.values() if named not in failed.stderr] == []
    assert database.rows("SELECT count(*) FROM tenants_blueprint") == [(0,)]


def test_the_trial_of_a_blueprint_leaves_nothing(database: Scratch) -> None:
    with database.owner() as owner:
        owner.execute("DELETE FROM tenants_blueprint")
    assert database.manage("migrate", "-v0").returncode == 0
    assert database.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%trial%'") == []
    assert database.rows("SELECT steps > 5, length(sql) > 10000 FROM tenants_blueprint") == [(True, True)]


def test_without_a_blueprint_nobody_signs_up(database: Scratch) -> None:
    with database.owner() as owner:
        owner.execute("DELETE FROM tenants_blueprint")
    failed = database.manage(*LATER)
    assert failed.returncode != 0
    assert "there is no blueprint yet: run migrate" in failed.stderr
    assert database.rows("SELECT count(*) FROM tenants_tenant WHERE slug = 'later'") == [(0,)]


def test_migrating_needs_the_owners_login(database: Scratch) -> None:
    del database.urls["DATABASE_OWNER_URL"]
    database.urls["DATABASE_OWNER_URL"] = ""
    failed = database.manage("migrate")
    assert failed.returncode == 1
    assert "DATABASE_OWNER_URL is not set" in failed.stderr
