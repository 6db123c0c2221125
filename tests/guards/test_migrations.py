"""Every model has its app's migrations up to date, and the migrations of an app are one line."""

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

from tests.guards.source import APPS


@pytest.mark.parametrize("app", [app for app in APPS if app != "proecommerce"])
def test_models_and_migrations_agree(app: str) -> None:
    call_command("makemigrations", app, check=True, dry_run=True, verbosity=3, skip_checks=True)


def test_each_app_has_one_leaf() -> None:
    loader = MigrationLoader(None)
    labels = {config.label for config in apps.get_app_configs() if config.name in APPS} & loader.migrated_apps
    assert labels >= {"billing", "accounts", "tenants", "audit", "vault"}
    assert {label for label in labels if len(loader.graph.leaf_nodes(label)) > 1} == set()


def test_every_migration_with_python_can_be_told_apart() -> None:
    """Data migrations run in each tenant: they must say what undoes them, or that nothing does."""
    from django.db.migrations.operations import RunPython, RunSQL

    loader = MigrationLoader(None)
    for (label, name), migration in loader.disk_migrations.items():
        if label in APPS:
            for operation in migration.operations:
                if isinstance(operation, RunPython | RunSQL):
                    assert operation.reversible, f"{label}.{name} cannot be undone"
