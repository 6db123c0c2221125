"""Migrations over many schemas: planned and recorded once on a template, then replayed as SQL.

The template schema `tenant_template` is migrated by Django itself; each migration's SQL is recorded in
`MigrationStep`. A new tenant is the replay of all steps; an existing one the replay of those it lacks, in a
transaction of its own under `lock_timeout`, so that an interrupted run goes on where it stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython, SeparateDatabaseAndState

from tenants.context import enter
from tenants.models import MigrationStep, Tenant
from tenants.postgresql.base import PUBLIC

LOCK_TIMEOUT_MS = 5000
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Schema:
    schema_name: str


TEMPLATE = _Schema("tenant_template")
SHARED = _Schema(PUBLIC)


def migrate_shared(*, verbosity: int) -> None:
    """Bring the public schema up to date. Call as the owner."""
    with enter(SHARED):
        call_command("migrate_schema", verbosity=verbosity)
        _close_append_only_tables()


def migrate_template(*, progress: Progress) -> None:
    """Bring the template up to date and record the SQL of each migration. Call as the owner."""
    with enter(SHARED), connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {TEMPLATE.schema_name}")
        known = MigrationStep.objects.count()
    with enter(TEMPLATE):
        while plan := _plan():
            migration = plan[0]
            with _recording() as statements:
                MigrationExecutor(connection).migrate([(migration.app_label, migration.name)])
            known += 1
            has_python = any(_is_data(operation) for operation in migration.operations)
            with enter(SHARED):
                MigrationStep.objects.create(
                    position=known,
                    app=migration.app_label,
                    name=migration.name,
                    sql=";\n".join(s.rstrip().rstrip(";") for s in statements),
                    has_python=has_python,
                )
            progress(f"template: {migration.app_label}.{migration.name}")


def migrate_tenants(*, progress: Progress, schemas: Sequence[str] | None = None) -> int:
    """Replay what each tenant lacks; returns how many schemas changed. Call as the owner. Resumable."""
    with enter(SHARED):
        steps = list(MigrationStep.objects.all())
        names = list(Tenant.objects.order_by("schema_name").values_list("schema_name", flat=True))
    if schemas is not None:
        names = [name for name in names if name in schemas]
    behind = [name for name in names if _count_applied(name) < len(steps)]
    for done, name in enumerate(behind, start=1):
        _bring_up_to_date(_Schema(name), steps)
        if done == len(behind) or done % 25 == 0:
            progress(f"tenants: {done} of {len(behind)}")
    return len(behind)


def _bring_up_to_date(schema: _Schema, steps: Sequence[MigrationStep]) -> None:
    with enter(schema):
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations")
            applied = set(cursor.fetchall())
        missing = [step for step in steps if (step.app, step.name) not in applied]
        while missing:
            if missing[0].has_python:
                step = missing.pop(0)
                MigrationExecutor(connection).migrate([(step.app, step.name)])
                continue
            batch: list[MigrationStep] = []
            while missing and not missing[0].has_python:
                batch.append(missing.pop(0))
            _replay(schema, batch)


def _replay(schema: _Schema, steps: Sequence[MigrationStep]) -> None:
    """Run the steps of one tenant in one transaction and one round trip."""
    parts = [f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"]
    parts += [step.sql for step in steps if step.sql]
    if any("CREATE TABLE" in step.sql or "append_only" in step.sql for step in steps):
        parts.append(f"SELECT public.grant_tenant('{schema.schema_name}')")
    values = ", ".join(f"('{step.app}', '{step.name}', now())" for step in steps)
    parts.append(f"INSERT INTO django_migrations (app, name, applied) VALUES {values}")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(";\n".join(parts))


def _count_applied(schema_name: str) -> int:
    with enter(_Schema(schema_name)), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations")
        return int(cursor.fetchone()[0])


def _plan() -> list[Migration]:
    """Return the template's unapplied migrations of tenant apps, in order."""
    from django.conf import settings

    executor = MigrationExecutor(connection)
    labels = {name.rsplit(".", 1)[-1] for name in settings.TENANT_APPS}
    targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] in labels]
    return [m for m, _ in executor.migration_plan(targets) if m.app_label in labels]


def _is_data(operation: Any) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return any(_is_data(inner) for inner in operation.database_operations)
    return isinstance(operation, RunPython) and operation.code is not RunPython.noop


@contextmanager
def _recording() -> Iterator[list[str]]:
    """Collect the SQL that schema editors execute on this connection."""
    wrapper = cast(Any, connection)
    editor_class = wrapper.SchemaEditorClass
    statements: list[str] = []

    class Recorder(editor_class):  # type: ignore[misc,valid-type]
        def execute(self, sql: Any, params: Any = ()) -> None:
            text = str(sql)
            statements.append(text if params is None else wrapper.ops.compose_sql(text, params))
            super().execute(sql, params)

    wrapper.SchemaEditorClass = Recorder
    try:
        yield statements
    finally:
        wrapper.SchemaEditorClass = editor_class


def _close_append_only_tables() -> None:
    from tenants.postgresql.base import PUBLIC_ROLE

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND t.tgname LIKE 'append\\_only%%'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON public."{table}" FROM {PUBLIC_ROLE}')
