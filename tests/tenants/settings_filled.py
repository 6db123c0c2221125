"""The settings of the release after the next: a migration in Python."""

from proecommerce.settings import *  # noqa: F403

MIGRATION_MODULES = {"billing": "tests.tenants.filled"}
