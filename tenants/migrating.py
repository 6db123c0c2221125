"""Migrations over many schemas: planned and recorded once on a template, then replayed as SQL.

The template schema `tenant_template` is migrated by Django itself; each migration's SQL is recorded in
`MigrationStep`, and the template as it then stands in `Blueprint`, by which new tenants are made. An existing
tenant gets the steps that it lacks, in a transaction of its own under a lock time-out, so that an interrupted
run goes on where it stopped.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration
from django.db.migrations.operations import RunPython, SeparateDatabaseAndState

from tenants import blueprint
from tenants.context import enter
from tenants.errors import StepFailed, TenantsBusy
from tenants.models import Blueprint, MigrationStep, Tenant
from tenants.postgresql.base import PUBLIC, PUBLIC_ROLE

LOCK_TIMEOUT_MS = 5000
ROUNDS = 3  # how often a tenant whose tables are in use is tried
SCHEMAS_A_QUERY = 200
BUSY = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
NEEDS_GRANTS = re.compile(
    r"\bCREATE\s+(?:OR\s+REPLACE\s+)?(?:TABLE|SEQUENCE|FUNCTION|TRIGGER)\b", re.IGNORECASE
)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Schema:
    schema_name: str


TEMPLATE = _Schema("tenant_template")
SHARED = _Schema(PUBLIC)
TRIAL = "t_blueprint_trial"


def migrate_shared(*, verbosity: int) -> None:
    """Bring the public schema up to date. Call as the owner."""
    with enter(SHARED):
        call_command("migrate_schema", verbosity=verbosity)
        _close_append_only_tables()


def migrate_template(*, progress: Progress) -> None:
    """Bring the template up to date, record each migration's SQL, renew the blueprint. Call as the owner."""
    with enter(SHARED), connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {TEMPLATE.schema_name}")
        known = MigrationStep.objects.count()
    with enter(TEMPLATE):
        while plan := _plan():
            known += 1
            _record_step(plan[0], position=known)
            progress(f"template: {plan[0].app_label}.{plan[0].name}")
    with enter(SHARED):
        if not Blueprint.objects.filter(steps=known).exists():
            renew_blueprint(steps=known)
            progress(f"blueprint: {known} steps")


def renew_blueprint(*, steps: int) -> None:
    """Write the blueprint anew, and prove it by making a schema that reads the same. Call as the owner."""
    with transaction.atomic():
        script = blueprint.write(TEMPLATE.schema_name)
        # Waits for sign-ups still made by the old one: they are tenants before we look for those behind.
        Blueprint.objects.update_or_create(pk=1, defaults={"steps": steps, "sql": script})
        trial = transaction.savepoint()
        with connection.cursor() as cursor:
            cursor.execute("SELECT provision_schema(%s)", [TRIAL])
        made = blueprint.write(TRIAL)
        transaction.savepoint_rollback(trial)
        if not blueprint.same(made, script):
            raise blueprint.BlueprintIncomplete("A schema made by the blueprint differs from the template.")


def migrate_tenants(
    *, progress: Progress, schemas: Sequence[str] | None = None, lock_timeout_ms: int = LOCK_TIMEOUT_MS
) -> int:
    """Replay what each tenant lacks; returns how many schemas changed. Call as the owner. Resumable.

    Tenants whose tables are in use are left for later rounds and raise `TenantsBusy` in the end; any other
    error stops at once as `StepFailed`.
    """
    with enter(SHARED):
        steps = list(MigrationStep.objects.all())
        names = list(Tenant.objects.order_by("schema_name").values_list("schema_name", flat=True))
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [str(lock_timeout_ms)])
    if schemas is not None:
        names = [name for name in names if name in schemas]
    missing = _missing(names, steps)
    waiting, done = list(missing), 0
    for _ in range(ROUNDS):
        busy: list[str] = []
        for name in waiting:
            if not _bring_up_to_date(_Schema(name), missing[name]):
                busy.append(name)
                progress(f"tenants: {name} is busy")
                continue
            done += 1
            if done == len(missing) or done % 25 == 0:
                progress(f"tenants: {done} of {len(missing)}")
        waiting = busy
    if waiting:
        raise TenantsBusy(waiting)
    return done


def _missing(names: Sequence[str], steps: Sequence[MigrationStep]) -> Mapping[str, list[MigrationStep]]:
    """Return what each schema that is behind lacks."""
    found: dict[str, list[MigrationStep]] = {}
    for start in range(0, len(names), SCHEMAS_A_QUERY):
        query = " UNION ALL ".join(
            f"SELECT '{name}', array_agg(app || '.' || name) FROM {name}.django_migrations"
            for name in names[start : start + SCHEMAS_A_QUERY]
        )
        with enter(SHARED), connection.cursor() as cursor:
            cursor.execute(query)
            for name, applied in cursor.fetchall():
                lacking = [step for step in steps if f"{step.app}.{step.name}" not in set(applied or ())]
                if lacking:
                    found[name] = lacking
    return found


def _bring_up_to_date(schema: _Schema, missing: Sequence[MigrationStep]) -> bool:
    """Run the missing steps; False when the schema's tables are in use. What is done before that stays."""
    with enter(schema):
        for batch in _batches(missing):
            try:
                if batch[0].has_python:
                    _run_python(schema, batch[0])
                else:
                    _replay(schema, batch)
            except DatabaseError as error:
                if getattr(error.__cause__, "sqlstate", None) in BUSY:
                    return False
                raise StepFailed(schema.schema_name, ", ".join(map(str, batch)), error) from error
            except Exception as error:
                raise StepFailed(schema.schema_name, ", ".join(map(str, batch)), error) from error
    return True


def _batches(steps: Sequence[MigrationStep]) -> Iterator[list[MigrationStep]]:
    """SQL steps in a row go together; a Python step goes alone."""
    batch: list[MigrationStep] = []
    for step in steps:
        if step.has_python:
            if batch:
                yield batch
            yield [step]
            batch = []
        else:
            batch.append(step)
    if batch:
        yield batch


def _replay(schema: _Schema, steps: Sequence[MigrationStep]) -> None:
    """Run the steps of one tenant in one round trip; PostgreSQL makes one transaction of one message."""
    parts = [f"SET LOCAL search_path = {schema.schema_name}, {PUBLIC}"]
    parts += [step.sql for step in steps if step.sql]
    if any(NEEDS_GRANTS.search(step.sql) for step in steps):
        parts.append(f"SELECT public.grant_tenant('{schema.schema_name}')")
    values = ", ".join(f"('{step.app}', '{step.name}', now())" for step in steps)
    parts.append(f"INSERT INTO django_migrations (app, name, applied) VALUES {values}")
    with enter(SHARED), connection.cursor() as cursor:
        cursor.execute(";\n".join(parts))


def _run_python(schema: _Schema, step: MigrationStep) -> None:
    """Let Django run a migration that holds Python; in one transaction with its grants when it can be."""
    executor = MigrationExecutor(connection)
    key = (step.app, step.name)
    if executor.loader.graph.nodes[key].atomic:
        with transaction.atomic():
            executor.migrate([key])
            _grant(schema)
    else:
        executor.migrate([key])
        _grant(schema)


def _grant(schema: _Schema) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT public.grant_tenant(%s)", [schema.schema_name])


def _plan() -> list[Migration]:
    """Return the template's unapplied migrations of tenant apps, in order."""
    executor = MigrationExecutor(connection)
    labels = {name.rsplit(".", 1)[-1] for name in settings.TENANT_APPS}
    targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] in labels]
    return [m for m, _ in executor.migration_plan(targets) if m.app_label in labels]


def _record_step(migration: Migration, *, position: int) -> None:
    """Run the migration on the template and keep its SQL, both or neither where it allows a transaction."""
    with transaction.atomic() if migration.atomic else _no_transaction():
        with _recording() as statements:
            MigrationExecutor(connection).migrate([(migration.app_label, migration.name)])
        with enter(SHARED):
            MigrationStep.objects.create(
                position=position,
                app=migration.app_label,
                name=migration.name,
                sql=";\n".join(s.rstrip().rstrip(";") for s in statements),
                # What cannot run in a transaction is not replayed in one: Django runs it, a tenant at a time.
                has_python=not migration.atomic or any(map(_is_data, migration.operations)),
            )


@contextmanager
def _no_transaction() -> Iterator[None]:
    yield


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
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND t.tgname LIKE 'append\\_only%%'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON public."{table}" FROM {PUBLIC_ROLE}')
