"""The twins are made once, by whichever test comes first."""

from typing import Any

import pytest
from django.db import connection

from tests.wall.twins import Twins, build


@pytest.fixture(scope="session")
def twins(django_db_setup: None, django_db_blocker: Any) -> Twins:
    with django_db_blocker.unblock():
        found = build()
        connection.close()
    return found
