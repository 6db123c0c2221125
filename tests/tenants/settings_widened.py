"""The settings of the next release: one migration more."""

from proecommerce.settings import *  # noqa: F403

MIGRATION_MODULES = {"billing": "tests.tenants.widened"}
