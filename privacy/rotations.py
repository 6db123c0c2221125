"""The keys of what is sealed at rest, replaced after an incident: the key above all, then every data key."""

from datetime import datetime

from audit.actors import Actor
from privacy.rotating import rotates
from tenants import rekeying
from tenants.errors import ValuesLeft


@rotates("keys", "Keys of sealed values", on_platform=True, in_tenants=False)
def replace_keys(actor: Actor, now: datetime) -> str:
    """Make a new key-encryption key and seal every value by new data keys; nobody waits for it."""
    done: list[str] = []
    rekeying.rotate_key_encryption_key(actor=actor, now=now, progress=done.append)
    try:
        values = rekeying.replace_data_keys(actor=actor, now=now, progress=lambda _: None)
    except ValuesLeft as left:
        return f"{done[0]}; {left}"  # the rest is done, and a person reads this
    return f"{done[0]}; {values} values sealed by new keys"
