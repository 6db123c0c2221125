"""What PostgreSQL's own catalog says of the walls, and what it refuses to a tenant's role."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from tenants.context import enter, enter_public
from tenants.models import Blueprint, Host, Job, MigrationStep, Tenant
from tests.tenants.looking import place, where

APP, OWNER, PLATFORM = "proe_app", "proe_owner", "proe_public"

# All that a tenant's role may do outside its own schema.
ON_PUBLIC = {
    ("tenants_tenant", "SELECT"),
    ("tenants_host", "SELECT"),
    ("tenants_job", "SELECT"),
    ("tenants_job", "INSERT"),
}
COLUMNS_ON_PUBLIC = {
    "tenants_tenant": {"country", "currency", "locale", "name", "next_run_at", "rehearsal_now", "time_zone"},
    "tenants_job": {
        "attempts", "done_at", "last_error", "leased_until", "published_at", "run_at", "state",
    },
}  # fmt: skip


@pytest.fixture
def admin(db: None) -> Iterator[psycopg.Connection[Any]]:
    import os

    name = str(connection.settings_dict["NAME"])
    with psycopg.connect(os.environ["DATABASE_ADMIN_URL"], dbname=name, autocommit=True) as found:
        yield found


def rows(admin: psycopg.Connection[Any], query: str, *params: Any) -> list[Any]:
    return admin.execute(query, params).fetchall()


def test_the_apps_login_owns_nothing(admin: Any) -> None:
    owned = (
        "SELECT classid::regclass::text, objid FROM pg_shdepend"
        " WHERE deptype = 'o' AND refobjid = %s::regrole"
    )
    assert rows(admin, owned, APP) == []
    assert rows(admin, owned, PLATFORM) == []
    assert rows(admin, owned, "t_alpha") == []


def test_the_apps_login_has_no_right_of_its_own(admin: Any) -> None:
    direct = (
        "SELECT classid::regclass::text, objid FROM pg_shdepend"
        " WHERE deptype = 'a' AND refobjid = %s::regrole AND classid <> 'pg_database'::regclass"
    )
    assert rows(admin, direct, APP) == []
    flags = "SELECT rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
    assert rows(admin, f"{flags} FROM pg_roles WHERE rolname = %s", APP) == [(False,) * 6]


def test_nobody_inherits_and_nobody_may_pass_a_role_on(admin: Any) -> None:
    found = rows(
        admin,
        "SELECT DISTINCT inherit_option, set_option, admin_option FROM pg_auth_members"
        " WHERE member = %s::regrole",
        APP,
    )
    assert found == [(False, True, False)]


def test_tenant_roles_cannot_log_in_and_are_members_of_nothing(admin: Any) -> None:
    assert (
        rows(admin, "SELECT rolname FROM pg_roles WHERE rolname LIKE 't\\_%%' AND (rolcanlogin OR rolsuper)")
        == []
    )
    members = (
        "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname LIKE 't\\_%%'"
    )
    assert rows(admin, members) == []


def test_nothing_is_granted_to_everybody(admin: Any) -> None:
    tables = (
        "SELECT c.oid::regclass::text, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE a.grantee = 0 AND c.relnamespace NOT IN ('pg_catalog'::regnamespace,"
        " 'information_schema'::regnamespace)"
    )
    assert rows(admin, tables) == []
    schemas = (
        "SELECT n.nspname, a.privilege_type FROM pg_namespace n, aclexplode(n.nspacl) a"
        " WHERE a.grantee = 0 AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    assert rows(admin, schemas) == []
    functions = (
        "SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.prosecdef"
        " AND has_function_privilege('public', p.oid, 'EXECUTE')"
        " AND p.pronamespace <> 'pg_catalog'::regnamespace"
    )
    assert rows(admin, functions) == []


def test_a_tenants_role_has_rights_in_its_own_schema_only(admin: Any) -> None:
    usable = (
        "SELECT nspname FROM pg_namespace WHERE has_schema_privilege('t_alpha', oid, 'USAGE')"
        " AND nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    )
    assert rows(admin, usable) == [("public",), ("t_alpha",)]
    creatable = "SELECT nspname FROM pg_namespace WHERE has_schema_privilege('t_alpha', oid, 'CREATE')"
    assert rows(admin, creatable) == []
    granted = (
        "SELECT c.relname, a.privilege_type FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE a.grantee = 't_alpha'::regrole AND c.relnamespace <> 't_alpha'::regnamespace"
    )
    assert set(rows(admin, granted)) == ON_PUBLIC
    columns = (
        "SELECT c.relname, a.attname, x.privilege_type"
        " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid,"
        " aclexplode(a.attacl) x WHERE x.grantee = 't_alpha'::regrole"
    )
    found: dict[str, set[str]] = {}
    for table, column, privilege in rows(admin, columns):
        assert privilege == "UPDATE"
        found.setdefault(table, set()).add(column)
    assert found == COLUMNS_ON_PUBLIC


def test_in_its_own_schema_a_tenant_may_work_but_not_build(admin: Any) -> None:
    granted = (
        "SELECT DISTINCT a.privilege_type FROM pg_class c, aclexplode(c.relacl) a"
        " WHERE a.grantee = 't_alpha'::regrole AND c.relkind = 'r' ORDER BY 1"
    )
    assert rows(admin, granted) == [("DELETE",), ("INSERT",), ("SELECT",), ("UPDATE",)]
    guarded = (
        "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE t.tgname LIKE 'append\\_only%%' AND c.relnamespace = 't_alpha'::regnamespace ORDER BY 1"
    )
    tables = [row[0] for row in rows(admin, guarded)]
    assert tables == [
        "audit_auditevent", "audit_purgedlink", "billing_journalentry", "billing_posting", "privacy_consent",
        "privacy_consenttext",
    ]  # fmt: skip
    changeable = "SELECT has_table_privilege('t_alpha', format('t_alpha.%%I', %s::text)::regclass, %s)"
    for table in tables:
        for privilege in ("UPDATE", "DELETE", "TRUNCATE", "TRIGGER"):
            assert rows(admin, changeable, table, privilege) == [(False,)]
    for privilege in ("INSERT", "UPDATE", "DELETE"):
        assert rows(admin, changeable, "django_migrations", privilege) == [(False,)]


def test_the_platforms_role_has_no_right_in_any_tenant(admin: Any) -> None:
    usable = (
        "SELECT nspname FROM pg_namespace WHERE has_schema_privilege('proe_public', oid, 'USAGE')"
        " AND nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    assert rows(admin, usable) == [("public",)]


def test_every_function_that_runs_as_its_owner_has_a_fixed_path(admin: Any) -> None:
    definers = (
        "SELECT p.oid::regprocedure::text, coalesce(array_to_string(p.proconfig, ','), '') FROM pg_proc p"
        " WHERE p.prosecdef AND p.pronamespace <> 'pg_catalog'::regnamespace ORDER BY 1"
    )
    found: dict[str, str] = dict(rows(admin, definers))
    assert {name.rpartition(".")[2] for name in found} == {
        "audit_purge(text,timestamp with time zone,uuid)",
        "audit_purgeable(text,timestamp with time zone)",
        "billing_purge_closed(uuid)",
        "drop_tenant(uuid,uuid)",
        "grant_tenant(text)",
        "operations_keep_request_log(timestamp with time zone)",
        "policy_version_guard()",
        "provision_schema(text)",
    }
    for name, path in found.items():
        own = f", {name.partition('.')[0]}" if "." in name else ""
        assert path == "search_path=pg_catalog" or path.startswith(f"search_path=pg_catalog{own}, pg_temp,")


def test_deferred_triggers_have_a_path_of_their_own(admin: Any) -> None:
    """They run at commit, when another tenant may have been entered."""
    wrong = (
        "SELECT p.oid::regprocedure::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
        " JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE t.tgdeferrable AND NOT t.tgisinternal AND n.nspname LIKE 't\\_%%' AND"
        " NOT coalesce(p.proconfig, '{}') && ARRAY[format('search_path=%%I, public', n.nspname),"
        " format('search_path=%%s, \"public\"', n.nspname)]"
    )
    assert rows(admin, wrong) == []


def test_shared_tables_with_tenants_rows_are_under_row_level_security(admin: Any) -> None:
    secured = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relrowsecurity AND relforcerowsecurity ORDER BY relname"
    )
    assert {("tenants_host",), ("tenants_hostproof",), ("tenants_job",), ("tenants_tenant",)} <= set(
        rows(admin, secured)
    )
    named = (
        "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relkind = 'r'"
        " AND c.relnamespace = 'public'::regnamespace AND a.attname = 'schema_name'"
        # What is the platform's alone, no tenant may touch at all.
        " AND (c.relname LIKE 'tenants\\_%%' OR has_table_privilege('t_alpha', c.oid, 'DELETE')"
        " OR has_any_column_privilege('t_alpha', c.oid, 'SELECT, INSERT, UPDATE')) ORDER BY 1"
    )
    assert rows(admin, named) == rows(admin, secured)


def test_shared_tables_without_tenants_rows_are_closed_to_tenants(admin: Any) -> None:
    granted = (
        "SELECT DISTINCT c.relname FROM pg_class c, aclexplode(c.relacl) a, pg_roles r"
        " WHERE r.oid = a.grantee AND c.relnamespace = 'public'::regnamespace"
        " AND r.rolname LIKE 't\\_%%' AND NOT c.relrowsecurity"
    )
    assert rows(admin, granted) == []


def test_every_policy_is_one_that_we_know(admin: Any) -> None:
    """Three kinds: the platform sees all, migrations see all, everybody else its own rows."""
    policies = (
        "SELECT DISTINCT policyname, roles::text, cmd, qual, with_check FROM pg_policies"
        " WHERE schemaname = 'public' ORDER BY 1"
    )
    own = "((schema_name)::text = CURRENT_USER)"
    assert rows(admin, policies) == [
        ("migrations", "{proe_owner}", "ALL", "true", "true"),
        ("own_rows", "{public}", "ALL", own, own),
        ("platform", "{proe_public}", "ALL", "true", "true"),
    ]


def test_the_owner_is_under_the_policies_too(admin: Any) -> None:
    """Without its own policy a migration would see nothing: FORCE holds for the tables' owner."""
    with admin.transaction(force_rollback=True):
        admin.execute("DROP POLICY migrations ON tenants_tenant")
        admin.execute("SET LOCAL ROLE proe_owner")
        assert rows(admin, "SELECT slug FROM tenants_tenant") == []


@pytest.mark.parametrize("table", ["tenants_tenant", "tenants_host", "tenants_job"])
def test_a_row_stays_with_its_tenant_whoever_asks(two_tenants: Any, table: str) -> None:
    with enter_public():
        Job.objects.create(schema_name="t_alpha", name="tests.canary")
        with pytest.raises(DatabaseError, match="stays with its tenant"):
            run(f"UPDATE {table} SET schema_name = 't_elsewhere'")


def test_a_host_names_the_schema_of_its_own_tenant(two_tenants: Any, now: Any) -> None:
    alpha, beta = two_tenants
    refused = pytest.raises(DatabaseError, match="host_of_its_tenants_schema")
    with enter_public(), refused, transaction.atomic():
        Host.objects.create(hostname="x.example", tenant=alpha, schema_name=beta.schema_name, created_at=now)


@pytest.fixture
def jobs_of_both(two_tenants: Any) -> tuple[Any, Any]:
    for tenant in two_tenants:
        with enter_public():
            Job.objects.create(schema_name=tenant.schema_name, name="tests.canary", args={"of": tenant.slug})
    return two_tenants  # type: ignore[no-any-return]


def test_a_tenant_sees_only_its_own_shared_rows(jobs_of_both: Any) -> None:
    for tenant in jobs_of_both:
        with enter(tenant):
            assert [each.slug for each in Tenant.objects.all()] == [tenant.slug]
            assert {each.schema_name for each in Host.objects.all()} == {tenant.schema_name}
            mine = Job.objects.filter(name="tests.canary")
            assert [each.args for each in mine] == [{"of": tenant.slug}]


def test_a_tenant_cannot_change_anothers_shared_rows(jobs_of_both: Any) -> None:
    alpha, beta = jobs_of_both
    with enter(alpha):
        assert Job.objects.filter(schema_name=beta.schema_name).update(state="done") == 0
        assert Tenant.objects.filter(pk=beta.pk).update(name="Taken over") == 0
    with enter(beta):
        assert Tenant.objects.get().name == "Beta Domains"
        assert Job.objects.get(name="tests.canary").state == "waiting"


NEW_JOB = (
    "INSERT INTO tenants_job (id, schema_name, name, args, state, attempts, run_at, last_error, created_at)"
)


@pytest.mark.parametrize(
    "statement",
    [
        NEW_JOB + " VALUES (gen_random_uuid(), 't_beta', 'x', '{}', 'waiting', 0, now(), '', now())",
        NEW_JOB + " VALUES (gen_random_uuid(), 'public', 'x', '{}', 'waiting', 0, now(), '', now())",
        "UPDATE tenants_job SET schema_name = 't_beta'",
        "UPDATE tenants_job SET args = '{}'",
        "DELETE FROM tenants_job",
        "UPDATE tenants_tenant SET schema_name = 't_beta'",
        "UPDATE tenants_tenant SET status = 'active'",
        "UPDATE tenants_tenant SET is_rehearsal = true",
        "DELETE FROM tenants_tenant",
        "UPDATE tenants_host SET hostname = 'beta.localhost'",
        "INSERT INTO tenants_host (id, hostname, tenant_id, schema_name, is_primary, created_at)"
        " SELECT gen_random_uuid(), 'more.localhost', tenant_id, schema_name, false, now() FROM tenants_host",
        "SELECT count(*) FROM t_beta.billing_invoice",
        "SELECT count(*) FROM tenant_template.billing_invoice",
        "SELECT count(*) FROM public.accounts_user",
        "SELECT count(*) FROM public.audit_auditevent",
        "SELECT count(*) FROM public.django_session",
        "SELECT token FROM public.tenants_hostproof",
        "SELECT count(*) FROM public.tenants_throttle",
        "SELECT sql FROM public.tenants_blueprint",
        "INSERT INTO public.tenants_migrationstep VALUES (99, 'x', 'y', 'SELECT 1', false)",
        "SELECT provision_schema('t_stolen')",
        "SELECT grant_tenant('t_beta')",
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE audit_auditevent DISABLE TRIGGER ALL",
        "DELETE FROM django_migrations",
    ],
)
def test_the_database_refuses_a_tenant(tenant: Any, statement: str) -> None:
    with pytest.raises(DatabaseError, match=r"permission denied|row-level security|must be owner"):
        run(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM t_beta.billing_invoice",
        "SELECT sql FROM tenants_blueprint",
        "UPDATE tenants_blueprint SET sql = 'ALTER ROLE proe_app SUPERUSER'",
        "INSERT INTO tenants_migrationstep VALUES (99, 'x', 'y', 'SELECT 1', false)",
        "DELETE FROM django_migrations",
        "UPDATE audit_auditevent SET action = 'x'",
        "TRUNCATE audit_auditevent",
        "SELECT grant_tenant('t_beta')",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_database_refuses_the_platforms_own_role(db: None, statement: str) -> None:
    with enter_public(), pytest.raises(DatabaseError, match="permission denied"):
        run(statement)


def run(statement: str, *params: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params or None)


def test_the_platform_reads_no_script_by_the_orm_either(db: None) -> None:
    for model in (Blueprint, MigrationStep):
        with enter_public(), pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            model.objects.first()


@pytest.mark.parametrize(
    "name", ["t_", "public", "tenant_template", "t_A", "t_a-b", 't_a"; DROP SCHEMA public; --', "pg_x", ""]
)
def test_only_a_tenants_name_makes_a_schema(db: None, name: str) -> None:
    with enter_public(), pytest.raises(DatabaseError, match="not a tenant schema name"):
        run("SELECT provision_schema(%s)", name)


def test_without_a_role_the_login_reads_nothing(db: None) -> None:
    default: dict[str, Any] = settings.DATABASES["default"]
    with psycopg.connect(
        host=default["HOST"], port=default["PORT"], dbname=default["NAME"],
        user=default["USER"], password=default["PASSWORD"], autocommit=True,
    ) as bare:  # fmt: skip
        for table in ("t_alpha.billing_invoice", "public.tenants_tenant", "tenant_template.billing_invoice"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                bare.execute(sql.SQL("SELECT * FROM {}").format(sql.SQL(table)))
        for role in (OWNER, "postgres"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                bare.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))


def test_the_blueprint_of_a_name_does_not_leak_into_another(two_tenants: Any) -> None:
    for tenant in two_tenants:
        with enter(tenant):
            assert where() == place(tenant)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid"
                    " WHERE k.connamespace = current_schema()::regnamespace"
                    " AND f.relnamespace <> current_schema()::regnamespace"
                )
                assert cursor.fetchone() == (0,)


def test_a_role_left_over_from_a_dropped_schema_is_taken_again(db: None, admin: Any) -> None:
    name = f"t_left{uuid4().hex[:8]}"
    admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
    with enter_public(), transaction.atomic(), connection.cursor() as cursor:
        # The owner made neither this role nor may pass it on: it is not taken over in silence.
        with pytest.raises(DatabaseError, match="permission denied"):
            cursor.execute("SELECT provision_schema(%s)", [name])
        transaction.set_rollback(True)
    admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
