"""Start-up checks: passwords are hashed with Argon2id and looked up among common ones, or nothing starts."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import get_hasher
from django.core.checks import CheckMessage, Error, register

from accounts.common_passwords import NotAFilter, opened


@register
def argon2_first(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Fail when new passwords would not be hashed with Argon2id."""
    try:
        hasher = get_hasher()
        hashed = hasher.encode("a start-up check", hasher.salt())
    except Exception as error:
        return [Error(f"Argon2id does not work: {error}", hint="Install argon2-cffi.", id="accounts.E001")]
    if not hashed.startswith("argon2$argon2id$"):
        return [Error("New passwords are not hashed with Argon2id.", id="accounts.E001")]
    return []


@register
def filter_opens(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Fail when the filter of refused passwords that is named cannot be read."""
    if not settings.PASSWORD_FILTER:
        return []
    try:
        opened(settings.PASSWORD_FILTER)
    except (OSError, NotAFilter) as error:
        hint = "Make it by manage.py build_password_filter, or leave PASSWORD_FILTER empty."
        return [Error(f"PASSWORD_FILTER cannot be used: {error}", hint=hint, id="accounts.E002")]
    return []
