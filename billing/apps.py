"""The billing app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import (  # noqa: F401 - importing registers them
            closing,
            jobs,
            personal_data,
            purging,
            restricted,
            rotations,
            setup,
        )
        from tenants.provisioning import on_new_tenant

        on_new_tenant(setup.prepare)
