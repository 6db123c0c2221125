"""Start-up checks: passwords are hashed with Argon2id, or nothing starts."""

from typing import Any

from django.contrib.auth.hashers import get_hasher
from django.core.checks import CheckMessage, Error, register


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
