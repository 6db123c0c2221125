"""Attack L3 on what was mailed before: links that change how one logs in, once a thief is shut out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import email_changing, inviting, jobs, recovering
from accounts.email_changing import Wish
from accounts.inviting import Invitee
from accounts.models import User
from privacy.rotating import rotation_of
from tenants import clock
from tests.accounts.conftest import PASSWORD
from tests.accounts.factors import SETUP
from tests.attacks.test_log_in import SECURITY, reset_link, statuses

Browser = Callable[..., Client]
People = Callable[..., User]
Inside = Callable[..., Client]


@pytest.mark.parametrize("what", ["change", "reset", "end others", "factors reset", "incident"])
def test_l3_a_link_mailed_to_another_address_does_not_outlive_what_shuts_a_thief_out(
    tenant: Any, browser: Browser, people: People, inside: Inside, mails: Any, what: str
) -> None:
    """A thief has a change of address mailed; its owner then does what ends all else. So with resets."""
    user, now = people(), clock.now()
    client, wished, later = inside(user), Wish(user, "thief@evil.example"), "another row of four words"
    change = email_changing.ask(wished, actor=SETUP, now=now)
    link = f"/email/confirm/{email_changing.token_of(change, email_changing.CONFIRM)}/"
    reset = reset_link(user)
    assert statuses([browser().get(link), browser().get(reset)]) == [200, 200]
    if what == "change":
        client.post(f"{SECURITY}password/", {"old": PASSWORD, "password": later})
    elif what == "reset":
        browser().post(reset_link(user), {"password": later})
    elif what == "end others":
        client.post("/account/sessions/end-others/")
    elif what == "factors reset":
        recovering.reset_factors(user, actor=SETUP, now=now)
    else:
        asked = inviting.invite(Invitee(email="otto@lind.example", role="billing"), actor=SETUP, now=now)
        rotation_of("sessions").run(SETUP, now)
        assert browser().get(f"/invitation/{inviting.token_of(asked)}/").status_code == 410
    assert statuses([browser().get(link), browser().post(link), browser().get(reset)]) == [410, 410, 410]
    user.refresh_from_db()
    assert user.email == "nora@lind.example" and email_changing.pending_of(user, now=now) is None
    jobs.mail_email_change(change_id=str(change.pk))
    assert "thief@evil.example" not in [to for to, _ in mails]
