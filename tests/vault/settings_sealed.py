"""The settings with an app that has many sealed values."""

from proecommerce.settings import *  # noqa: F403
from proecommerce.settings import INSTALLED_APPS, TENANT_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.vault.sealed"]
TENANT_APPS = [*TENANT_APPS, "tests.vault.sealed"]
