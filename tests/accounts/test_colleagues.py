"""Who works here: roles changed, people shut out and let in, ownership handed over; always with an owner."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.test import Client

from accounts import colleagues, inviting
from accounts.errors import Refused
from accounts.models import Invitation, User
from tenants import clock
from tenants.models import Job
from tests import logging_in
from tests.accounts.conftest import PASSWORD, actions, log_in

People = Callable[..., User]
Browser = Callable[..., Client]


@pytest.fixture
def by(actor: Any, now: datetime) -> Callable[[User], dict[str, Any]]:
    return lambda user: {"by": user, "actor": actor, "now": now}


@pytest.fixture
def nora(tenant: Any, people: People) -> User:
    return people()


def test_a_role_counts_from_the_next_request(nora: User, people: People, browser: Browser, by: Any) -> None:
    emil = people("emil@lind.example", role="billing")
    client = browser()
    log_in(client, emil.email)
    assert client.get("/manage/import/").status_code == 200
    colleagues.change_role(emil.pk, "read_only", **by(nora))
    assert {"user.role_changed", "session.ended"} <= set(actions())
    assert client.get("/manage/import/")["Location"] == "/log-in/?next=/manage/import/"
    log_in(client, emil.email)
    assert client.get("/manage/import/").status_code == 403


def test_whoever_gives_up_their_own_rights_goes_on_by_a_new_key_and_here_only(
    nora: User, people: People, browser: Browser
) -> None:
    people("second@lind.example", role="owner")
    here, elsewhere = browser(), browser()
    for client in (here, elsewhere):
        logging_in.enter(client, nora)
    key = here.session.session_key
    answer = here.post(f"/manage/settings/staff/{nora.pk}/role/", {"role": "billing"})
    assert answer["Location"] == "/manage/settings/staff/"
    assert here.get("/manage/").status_code == 200 and here.get("/manage/settings/").status_code == 403
    assert here.session.session_key != key
    old = browser()
    old.cookies[settings.SESSION_COOKIE_NAME] = key or ""
    for client in (elsewhere, old):
        assert client.get("/manage/")["Location"].startswith("/log-in/")


def test_whoever_is_shut_out_is_out_at_once_and_in_again_later(
    nora: User, people: People, browser: Browser, by: Any
) -> None:
    emil = people("emil@lind.example", role="support")
    client = browser()
    log_in(client, emil.email)
    colleagues.deactivate(emil.pk, **by(nora))
    assert client.get("/manage/").status_code == 302
    assert log_in(browser(), emil.email).status_code == 422
    colleagues.reactivate(emil.pk, **by(nora))
    assert log_in(browser(), emil.email).status_code == 302
    assert [each for each in actions() if "activated" in each] == ["user.deactivated", "user.reactivated"]


def test_the_last_owner_stays(nora: User, people: People, by: Any) -> None:
    people("shut@lind.example", role="owner", name="Shut")
    colleagues.deactivate(User.objects.get(name="Shut").pk, **by(nora))
    with pytest.raises(Refused, match="last owner"):
        colleagues.change_role(nora.pk, "billing", **by(nora))
    with pytest.raises(Refused, match="last owner"):
        colleagues.deactivate(nora.pk, **by(nora))
    other = people("second@lind.example", role="owner")
    colleagues.change_role(nora.pk, "billing", **by(other))
    assert User.objects.get(pk=nora.pk).role == "billing"


@pytest.mark.parametrize("role", ["billing", "support", "read_only", "contact"])
def test_only_owners_change_anybody(nora: User, people: People, by: Any, role: str) -> None:
    other = people("emil@lind.example", role=role)
    for change in (
        lambda: colleagues.change_role(other.pk, "owner", **by(other)),
        lambda: colleagues.deactivate(nora.pk, **by(other)),
        lambda: colleagues.hand_over(other.pk, **by(other)),
        lambda: colleagues.invite_colleague(email="x@x.example", name="", role="owner", **by(other)),
    ):
        with pytest.raises(PermissionDenied):
            change()
    assert User.objects.get(pk=other.pk).role == role and not Invitation.objects.exists()


def test_a_role_lost_meanwhile_counts_in_the_rule_too(nora: User, people: People, by: Any) -> None:
    """The page was asked for as an owner; the rule reads anew, under its locks."""
    people("second@lind.example", role="owner")
    User.objects.filter(pk=nora.pk).update(role="support")
    assert nora.role == "owner"
    with pytest.raises(PermissionDenied):
        colleagues.change_role(nora.pk, "owner", **by(nora))


def test_a_contact_is_no_colleague_and_no_role_is_made_up(nora: User, people: People, by: Any) -> None:
    contact = people("kim@lind.example", role="contact")
    with pytest.raises(User.DoesNotExist):
        colleagues.change_role(contact.pk, "billing", **by(nora))
    emil = people("emil@lind.example", role="billing")
    for role in ("contact", "platform", "staff", ""):
        with pytest.raises(Refused):
            colleagues.change_role(emil.pk, role, **by(nora))


def test_handing_over_asks_who_it_is_and_tells_both(
    nora: User, people: People, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    emil = people("emil@lind.example", role="support", name="Emil Berg")
    client = browser()
    logging_in.enter(client, nora)
    session = client.session
    del session["confirmed_at"]
    session.save()
    path, form = "/manage/settings/staff/hand-over/", {"person": str(emil.pk), "sure": "on"}
    asked = client.post(path, form)
    assert asked.status_code == 302 and "/account/confirm/" in asked["Location"]
    assert User.objects.get(pk=emil.pk).role == "support"
    client.post("/account/confirm/", {"password": PASSWORD, "next": path})
    assert "Emil Berg" in client.get(path).content.decode()
    assert client.post(path, form)["Location"] == "/manage/"
    roles = dict(User.objects.values_list("email", "role"))
    assert (roles[nora.email], roles[emil.email]) == ("billing", "owner")
    told = Job.objects.filter(name="accounts.mail_handed_over")
    assert {job.args["user_id"] for job in told} == {str(nora.pk), str(emil.pk)}
    assert client.get(path).status_code == 403
    assert "ownership.handed_over" in actions()
    from accounts import jobs

    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append((to, mail)))
    for job in told:
        jobs.mail_handed_over(**job.args)
    assert {to for to, _ in sent} == {nora.email, emil.email}
    assert "Nora Lind handed the ownership" in sent[0][1].text


def test_invitations_are_sent_again_and_withdrawn(
    nora: User, people: People, browser: Browser, by: Any, actor: Any
) -> None:
    acting = by(nora) | {"now": datetime.now(UTC)}
    invited = colleagues.invite_colleague(email="jo@lind.example", name="Jo", role="support", **acting)
    with pytest.raises(Refused, match="invited already"):
        colleagues.invite_colleague(email="JO@lind.example", name="Jo", role="owner", **acting)
    colleagues.resend(invited.pk, **acting)
    assert Job.objects.filter(name="accounts.mail_invitation").count() == 2
    link = f"/invitation/{inviting.token_of(invited)}/"
    assert browser().get(link).status_code == 200
    colleagues.withdraw(invited.pk, **acting)
    assert browser().get(link).status_code == 410
    with pytest.raises(Refused, match="withdrawn"):
        colleagues.resend(invited.pk, **acting)
    with pytest.raises(inviting.InvitationRefused):
        inviting.accept(invited, name="Jo", password=PASSWORD, actor=actor, now=clock.now())


@pytest.mark.parametrize("how", ["shut out", "made less"])
def test_what_an_owner_promised_falls_with_it(nora: User, people: People, by: Any, how: str) -> None:
    eve = people("eve@lind.example", role="owner")
    invited = colleagues.invite_colleague(email="mallory@x.example", name="", role="owner", **by(eve))
    if how == "shut out":
        colleagues.deactivate(eve.pk, **by(nora))
    else:
        colleagues.change_role(eve.pk, "billing", **by(nora))
    invited.refresh_from_db()
    assert invited.withdrawn_at is not None


def test_somebody_shut_out_does_not_come_back_by_an_invitation(
    nora: User, people: People, by: Any, actor: Any, now: datetime
) -> None:
    emil = people("emil@lind.example", role="support")
    colleagues.deactivate(emil.pk, **by(nora))
    invited = colleagues.invite_colleague(email=emil.email, name="", role="owner", **by(nora))
    with pytest.raises(inviting.InvitationRefused, match="shut"):
        inviting.accept(invited, name="Emil", password=PASSWORD, actor=actor, now=now)
    assert User.objects.get(pk=emil.pk).role == "support"


def test_the_page_of_people_does_it_all(nora: User, people: People, browser: Browser) -> None:
    emil = people("emil@lind.example", role="billing", name="Emil Berg")
    client = browser()
    log_in(client)
    base = "/manage/settings/staff"
    for path, form, said in (
        (f"{emil.pk}/role", {"role": "support"}, "the role is changed"),
        (f"{emil.pk}/deactivate", {}, "is shut out"),
        (f"{emil.pk}/reactivate", {}, "may log in again"),
        (f"{nora.pk}/deactivate", {}, "is the last owner"),
    ):
        assert said in client.post(f"{base}/{path}/", form, follow=True).content.decode()
    client.post(f"{base}/invite/", {"name": "Jo", "email": "jo@x.example", "role": "read_only"})
    invited = Invitation.objects.get()
    assert (invited.role, invited.invited_by) == ("read_only", nora)
    for verb, said in (("resend", "on its way again"), ("withdraw", "withdrawn")):
        answer = client.post(f"{base}/invitations/{invited.pk}/{verb}/", follow=True)
        assert said in answer.content.decode()


def test_what_somebody_has_promised_falls_with_the_right_to_promise_it(
    nora: User, people: People, by: Any, actor: Any, now: Any
) -> None:
    from accounts.customers import create_customer
    from accounts.inviting import Invitee, invite
    from accounts.models import Invitation

    details = {"name": "Lind", "email": "lind@x.example", "country": "DE", "currency": "EUR"}
    customer = create_customer(**details, actor=actor, now=now)
    emil = people("emil@lind.example", role="support", name="Emil Berg")
    olga = people("olga@lind.example", role="billing", name="Olga")
    for giver, email, role, of in (
        (emil, "mine@x.example", "contact", customer), (nora, "again@x.example", "owner", None),
        (nora, "contact@x.example", "contact", customer),
    ):  # fmt: skip
        made = invite(Invitee(email, role, customer=of), actor=actor, now=now)
        Invitation.objects.filter(pk=made.pk).update(invited_by=giver)
    colleagues.deactivate(emil.pk, **by(nora))
    colleagues.hand_over(olga.pk, **by(nora))
    stands = Invitation.objects.filter(withdrawn_at__isnull=True)
    assert list(stands.values_list("email", flat=True)) == ["contact@x.example"]


def test_a_hand_over_ends_the_sessions_of_both_but_the_one_that_hands_over(
    nora: User, people: People, browser: Browser, by: Any
) -> None:
    olga = people("olga@lind.example", role="billing", name="Olga")
    here, elsewhere, hers = browser(), browser(), browser()
    for client, who in ((here, nora), (elsewhere, nora), (hers, olga)):
        logging_in.enter(client, who)
    colleagues.hand_over(olga.pk, **by(nora), keep=here.session.session_key)
    assert [client.get("/manage/").status_code for client in (here, elsewhere, hers)] == [200, 302, 302]
