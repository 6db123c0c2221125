"""Which app's tables belong in which kind of schema."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connections

from tenants.postgresql.base import PUBLIC


class SchemaRouter:
    """Shared apps migrate in the public schema, tenant apps in a tenant's; some live in both.

    Of an app in both, the models that its config names in `platform_models` are in the public schema only.
    """

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        schema = getattr(connections[db], "schema_name", None)
        if schema is None:
            return False
        allowed = settings.SHARED_APPS if schema == PUBLIC else settings.TENANT_APPS
        config = apps.get_app_config(app_label)
        if schema != PUBLIC and model_name in getattr(config, "platform_models", ()):
            return False
        full = f"{type(config).__module__}.{type(config).__name__}"
        return None if config.name in allowed or full in allowed else False
