"""System checks: the settings that lead to the keys and, with `check --deploy`, the keys themselves."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from vault import keyring
from vault.errors import VaultError


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A secret without a prefix could be another product's."""
    if settings.SECRETS_PREFIX.strip("/ "):
        return []
    return [Error("SECRETS_PREFIX is empty.", hint="Set it, such as `proecommerce`.", id="vault.E001")]


def check_keys_within_reach(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Without the key-encryption keys nothing sealed can be read: say so before the first request."""
    try:
        keyring.warm_up()
    except VaultError as problem:
        return [Error(str(problem), id="vault.E002")]
    return []
