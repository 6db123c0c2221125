"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import (  # noqa: F401 - importing registers them
            audience,
            checks,
            closing,
            jobs,
            personal_data,
            purging,
            rotations,
            shutting,
            subjects,
        )
