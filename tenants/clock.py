"""What time it is: read at the edges only. A tenant in rehearsal has a clock of its own."""

from datetime import UTC, datetime

from django.db import connection

from tenants.context import current_tenant
from tenants.errors import NoTenant


def now() -> datetime:
    """Return the present instant in UTC; a rehearsing tenant's own one inside that tenant."""
    try:
        tenant = current_tenant()
    except NoTenant:
        return datetime.now(UTC)
    if tenant.is_rehearsal and tenant.rehearsal_now is not None:
        return tenant.rehearsal_now
    return datetime.now(UTC)


def wall() -> datetime:
    """Return the real instant, whatever clock a rehearsing tenant has: what people's own devices show."""
    return datetime.now(UTC)


def of_database() -> datetime:
    """Return the present instant by the clock of the database, which all processes share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


def at(seconds: int) -> datetime:
    """Return the instant so many seconds after 1970 began; raises ValueError or OverflowError."""
    return datetime.fromtimestamp(seconds, UTC)
