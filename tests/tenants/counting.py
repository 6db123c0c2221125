"""Jobs for tests with real worker processes: they count in the tenant's tables how often they were done."""

import time

from django.db.models import F

from billing.models import NumberSeries
from tenants.jobs import job


@job("tests.counted")
def counted(*, number: int, seconds: float = 0.0) -> None:
    """Count one more for this number; in the transaction that marks the job done."""
    series, _ = NumberSeries.objects.get_or_create(key=f"job-{number:04d}")
    NumberSeries.objects.filter(pk=series.pk).update(last=F("last") + 1)
    time.sleep(seconds)


@job("tests.outside", outside=True)
def outside(*, number: int, seconds: float = 0.0) -> None:
    """The same without a transaction around: done at least once."""
    time.sleep(seconds)
    counted(number=number)
