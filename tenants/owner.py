"""Acting as the owner of the schemas: for migrations only, never in a request or a job."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection


@contextmanager
def as_owner() -> Iterator[None]:
    """Re-point this thread's connection at the owner's login for the block."""
    if settings.DATABASE_OWNER is None:
        raise ImproperlyConfigured(
            "DATABASE_OWNER_URL is not set. Migrations run as the owner of the schemas; "
            "docs/configuration.md tells how to give this command, and no other, the owner's login."
        )
    wrapper = cast(Any, connection)
    before = wrapper.settings_dict
    wrapper.close()
    owner = {**before, **settings.DATABASE_OWNER, "NAME": before["NAME"]}
    owner["OPTIONS"] = {k: v for k, v in before["OPTIONS"].items() if k != "pool"}
    wrapper.settings_dict, wrapper.acts_as_owner = owner, True
    try:
        yield
    finally:
        wrapper.close()
        wrapper.settings_dict, wrapper.acts_as_owner = before, False
