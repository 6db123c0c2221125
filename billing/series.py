"""Drawing gapless document numbers: the series' row is locked until the transaction that uses them ends."""

from datetime import date

from django.db import connection

from billing import numbering
from billing.models import BillingSettings

_DRAW = (
    "INSERT INTO billing_numberseries AS series (key, last) VALUES (%s, %s)"
    " ON CONFLICT (key) DO UPDATE SET last = series.last + excluded.last RETURNING last"
)


def draw(settings: BillingSettings, *, count: int, on: date) -> list[str]:
    """Take the next `count` invoice numbers of the series that the settings name on this day."""
    template, prefix = settings.number_format, settings.number_prefix
    with connection.cursor() as cursor:
        cursor.execute(_DRAW, [numbering.series_key(template, prefix, on), count])
        last: int = cursor.fetchone()[0]
    return [numbering.render(template, prefix, on, n) for n in range(last - count + 1, last + 1)]
