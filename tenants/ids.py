"""Primary keys are UUIDv7: made in the app, ordered by time, the same in every schema's indexes."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """Return a fresh UUIDv7."""
    value: UUID = uuid_utils.compat.uuid7()
    return value
