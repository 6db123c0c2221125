"""The tenants app."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"

    def ready(self) -> None:
        from tenants import audit_jobs, own_jobs  # noqa: F401 - importing registers them
