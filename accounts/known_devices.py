"""Which devices a person is known to use: remembered by a keyed hash, without an address."""

from datetime import datetime

from django.utils.crypto import salted_hmac

from accounts.devices import network_of
from accounts.models import KnownDevice, User
from accounts.session_limits import DEVICE_KEPT
from tenants.context import current_schema

SALT = "accounts.known_device"


def note(user: User, device: str, ip: str | None, *, now: datetime) -> bool:
    """Remember that the user logs in from this device and network; tell if it was not seen for 90 days."""
    value = f"{current_schema()}\0{user.pk}\0{device}\0{network_of(ip)}"
    mark = salted_hmac(SALT, value, algorithm="sha256").hexdigest()
    known, made = KnownDevice.objects.get_or_create(user=user, mark=mark, defaults={"last_seen_at": now})
    if made:
        return True
    forgotten = now - known.last_seen_at >= DEVICE_KEPT
    KnownDevice.objects.filter(pk=known.pk).update(last_seen_at=now)
    return forgotten
