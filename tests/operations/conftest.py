"""A log that is written when the test says so, and rows of it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from operations.models import RequestLog
from operations.writing import WRITER
from tenants.context import enter_public
from tenants.ids import new_id
from tests.accounts.conftest import browser, people

__all__ = ["browser", "people"]


@pytest.fixture
def written(db: None) -> Iterator[Callable[[], list[RequestLog]]]:
    """Log the requests of this test; calling it writes them, in the test's transaction, and returns all."""
    WRITER.open(by_hand=True)

    def flush() -> list[RequestLog]:
        WRITER.flush()
        with enter_public():
            return list(RequestLog.objects.order_by("at", "id"))

    yield flush
    WRITER.close()


@pytest.fixture
def requests(db: None) -> Callable[..., None]:
    """Put rows into the log: `count` of them, alike but for what a function of the number says."""

    def put(at: datetime, count: int = 1, **values: Any) -> None:
        def of(number: int) -> RequestLog:
            row = {
                "at": at, "schema_name": "t_alpha", "host": "alpha.localhost", "method": "GET", "path": "/",
                "status": 200, "duration_ms": 12, "ip": "192.0.2.7", "user_agent": "a browser",
                "operator_id": "", "event": "", "account_mark": "",
            } | values  # fmt: skip
            made = {name: value(number) if callable(value) else value for name, value in row.items()}
            return RequestLog(id=new_id(), **made)

        with enter_public():
            RequestLog.objects.bulk_create(of(number) for number in range(count))

    return put
