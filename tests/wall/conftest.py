"""The twins are made once, by whichever test comes first."""

from typing import Any

import pytest
from django.db import connection

from tenants import throttling
from tests.wall.twins import Twins, build


@pytest.fixture(scope="session")
def twins(django_db_setup: None, django_db_blocker: Any) -> Twins:
    with django_db_blocker.unblock():
        found = build()
        connection.close()
    return found


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """No attempt is one too many: a page that tells people to wait tells nothing else."""
    monkeypatch.setattr(throttling, "_bounds", lambda rule, caller: ())
