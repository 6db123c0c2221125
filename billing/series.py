"""Drawing gapless document numbers: the series' row is locked until the transaction that uses them ends."""

from datetime import date
from typing import NamedTuple

from django.db import connection

from billing import numbering
from billing.models import BillingSettings

_DRAW = (
    "INSERT INTO billing_numberseries AS series (key, last) VALUES (%s, %s)"
    " ON CONFLICT (key) DO UPDATE SET last = series.last + excluded.last RETURNING last"
)


class Drawn(NamedTuple):
    """A number, and where it was drawn from: the audit event of the issue keeps both, so that gaps show."""

    number: str
    series: str
    n: int


def draw(settings: BillingSettings, *, count: int, on: date) -> list[Drawn]:
    """Take the next `count` invoice numbers of the series that the settings name on this day."""
    template, prefix = settings.number_format, settings.number_prefix
    key = numbering.series_key(template, prefix, on)
    with connection.cursor() as cursor:
        cursor.execute(_DRAW, [key, count])
        last: int = cursor.fetchone()[0]
    drawn = range(last - count + 1, last + 1)
    return [Drawn(numbering.render(template, prefix, on, n), key, n) for n in drawn]
