"""What asks again who it is before it touches money, secrets or access; looking never does."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tenants import clock

NOBODY = "01890000-0000-7000-8000-000000000000"
CHANGES = [
    ("get", "/manage/settings/stripe/connect/"),
    ("post", "/manage/settings/stripe/key/"),
    ("post", "/manage/settings/stripe/disconnect/"),
    ("get", "/manage/settings/staff/invite/"),
    ("post", "/manage/settings/staff/invite/"),
    ("get", "/manage/import/"),
    ("post", "/manage/import/"),
    ("post", "/manage/import/x/"),
    ("post", "/account/email/"),
    ("post", f"/manage/customers/{NOBODY}/invite/"),
    ("post", f"/manage/customers/{NOBODY}/contacts/{NOBODY}/"),
    ("post", f"/manage/products/{NOBODY}/prices/new/"),
    ("post", f"/manage/prices/{NOBODY}/offer/"),
]
READS = [
    "/manage/", "/manage/settings/", "/manage/settings/stripe/", "/manage/settings/staff/",
    "/manage/audit/", "/manage/import/x/", "/account/email/", "/account/sessions/",
]  # fmt: skip


@pytest.fixture
def stale(owner: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """An owner's browser a quarter of an hour after the log-in."""
    late = clock.now() + timedelta(minutes=15)
    monkeypatch.setattr(clock, "now", lambda: late)
    return owner


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_changes_ask_once_the_log_in_is_a_quarter_of_an_hour_old(
    stale: Client, method: str, path: str
) -> None:
    answer = getattr(stale, method)(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/confirm/?next="), answer["Location"]


def test_reads_never_ask(stale: Client) -> None:
    for path in READS:
        answer = stale.get(path)
        assert "/account/confirm/" not in answer.get("Location", ""), path


def test_nothing_asks_right_after_the_log_in(owner: Client) -> None:
    for method, path in CHANGES:
        answer: Any = getattr(owner, method)(path)
        assert "/account/confirm/" not in answer.get("Location", ""), path
