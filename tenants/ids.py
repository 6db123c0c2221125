"""Primary keys are UUIDv7: made in the app, ordered by time, the same in every schema's indexes."""

from datetime import datetime
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """Return a fresh UUIDv7."""
    value: UUID = uuid_utils.compat.uuid7()
    return value


def first_id_at(moment: datetime) -> UUID:
    """Return the id that is smaller than all made from this instant on, and greater than all made before."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
