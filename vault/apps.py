"""The vault app."""

from django.apps import AppConfig
from django.core import checks


class VaultConfig(AppConfig):
    name = "vault"
    verbose_name = "Vault"

    def ready(self) -> None:
        from vault.checks import check_keys_within_reach, check_settings

        checks.register(check_settings)
        checks.register(check_keys_within_reach, deploy=True)
