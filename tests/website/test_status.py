"""The status page: plain words from real checks, looked at every half minute, whoever is away."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from operations.status import State, look, status
from tenants import clock
from tenants.context import enter_public
from tenants.ids import new_id
from tenants.models import Job


@pytest.fixture(autouse=True)
def nothing_waits(db: None) -> None:
    """Tests that commit leave jobs behind."""
    with enter_public():
        Job.objects.all().delete()


def waits(name: str, minutes: int, **more: Any) -> None:
    with enter_public():
        at = clock.wall() - timedelta(minutes=minutes)
        Job.objects.create(id=new_id(), schema_name="t_alpha", name=name, run_at=at, **more)


def states(now: datetime | None = None) -> dict[str, State]:
    with enter_public():
        return {part.name: part.state for part in look(now=now or clock.wall()).parts}


def page() -> str:
    answer = Client(HTTP_HOST=settings.SITE_HOST).get("/status/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_all_is_well_and_the_page_says_so_without_secrets() -> None:
    html = page()
    assert "Everything works" in html and html.count(">works<") == 4
    hidden = [f"{settings.EMAIL_HOST}:", str(settings.EMAIL_PORT), "redis://", "t_alpha"]
    assert not [each for each in hidden if each in html]


def test_work_that_waits_is_told_of_by_its_age() -> None:
    waits("billing.run_invoices", 1)
    assert set(states().values()) == {State.WELL}
    waits("billing.handle_event", 5)
    assert states() == {
        "Pages and database": State.WELL, "Work in the background": State.SLOW, "Mail": State.WELL,
        "News from Stripe": State.SLOW,
    }  # fmt: skip
    waits("billing.mail_invoice", 20)
    assert states()["Mail"] == states()["Work in the background"] == State.DOWN
    html = page()
    assert "Something does not work" in html and "the oldest work waits for 20 minutes" in html


def test_what_failed_or_is_for_later_does_not_count_as_waiting() -> None:
    waits("billing.mail_invoice", 90, attempts=3)
    waits("billing.mail_invoice", -90)
    waits("billing.mail_invoice", 90, state="done", done_at=clock.wall())
    assert set(states().values()) == {State.WELL}


def test_a_mail_server_that_is_away_is_seen(settings: Any) -> None:
    settings.EMAIL_PORT = 1
    assert states()["Mail"] == State.DOWN
    assert "It does not answer." in page()


def test_it_is_looked_at_once_in_half_a_minute(django_assert_num_queries: Any, monkeypatch: Any) -> None:
    now = clock.wall()
    with enter_public():
        first = status(now=now)
        waits("billing.mail_invoice", 20)
        with django_assert_num_queries(0):
            assert status(now=now + timedelta(seconds=29)) == first
        assert status(now=now + timedelta(seconds=31)).state == State.DOWN


def test_it_stands_without_its_cache(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def __getattr__(self, name: str) -> Any:
            raise ConnectionError

    monkeypatch.setattr("operations.status.cache", Away())
    assert "Everything works" in page()
