"""What the command refuses, and how it says so; and that it writes to nobody."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing import rehearsing
from billing.connecting import current
from tenants.context import enter
from tests.rehearsal.living import SINCE, UNTIL

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.timeout(120)]


def rehearse(tenant: Any, **more: Any) -> None:
    given = {"start": "2026-11-16", "until": "2026-11-20"} | more
    days = ["--from", given["start"], "--until", given["until"]]
    call_command("rehearse", "--tenant", tenant.slug, *days, *given.get("rest", ()))


def test_a_tenant_that_lives_in_real_time_is_refused(fresh_tenant: Any) -> None:
    with pytest.raises(CommandError, match="not a rehearsal: create_tenant"):
        rehearse(fresh_tenant)
    with pytest.raises(rehearsing.NotARehearsal):
        list(rehearsing.live(fresh_tenant, start=SINCE, until=UNTIL))


def test_without_a_stand_in_it_is_refused(newcomer: Any, settings: Any) -> None:
    settings.STRIPE_REHEARSAL_BASE = ""
    with pytest.raises(CommandError, match="STRIPE_REHEARSAL_BASE is not set"):
        rehearse(newcomer)


def test_a_stand_in_that_does_not_answer_is_named(newcomer: Any, settings: Any) -> None:
    settings.STRIPE_REHEARSAL_BASE = "http://127.0.0.1:1"
    with pytest.raises(CommandError, match="stand-in for Stripe"):
        rehearse(newcomer, rest=["--autopay", "succeed"])
    with enter(newcomer):
        assert current() is None


@pytest.mark.parametrize("name", ["start", "until"])
@pytest.mark.parametrize("text", ["2026-13-01", "tomorrow", "2027-02-29", ""])
def test_a_date_that_is_none_is_shown_with_how_to_write_it(newcomer: Any, name: str, text: str) -> None:
    with pytest.raises(CommandError, match="is not a date; write it like 2027-12-31"):
        rehearse(newcomer, **{name: text})


def test_an_end_before_the_start_is_refused(newcomer: Any) -> None:
    with pytest.raises(CommandError, match="--until 2026-11-15 lies before --from 2026-11-16"):
        rehearse(newcomer, until="2026-11-15")


def test_an_unknown_tenant_and_a_wrong_outcome_are_refused(newcomer: Any) -> None:
    with pytest.raises(CommandError, match="There is no tenant 'nobody'"):
        call_command("rehearse", "--tenant", "nobody", "--until", "2026-12-01")
    with pytest.raises(CommandError, match="invalid choice: 'perhaps'"):
        rehearse(newcomer, rest=["--autopay", "perhaps"])
