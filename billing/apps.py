"""The billing app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import setup
        from tenants.provisioning import on_new_tenant

        on_new_tenant(setup.prepare)
        self._register_jobs()

    def _register_jobs(self) -> None:
        from importlib import import_module
        from importlib.util import find_spec

        if find_spec("billing.jobs"):
            import_module("billing.jobs")
