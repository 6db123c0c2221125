"""Invitations: a signed link, single use, seven days, of one tenant."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import bcrypt
import pytest
from django.core import signing
from django.test import Client

from accounts import inviting, jobs
from accounts.customers import create_customer
from accounts.inviting import Invitee
from accounts.models import Contact, Customer, Invitation, User
from tenants.context import enter
from tenants.models import Job
from tests.accounts.conftest import PASSWORD, actions, log_in
from tests.accounts.factors import with_app

Browser = Callable[..., Client]
People = Callable[..., User]
Invite = Callable[..., Invitation]


@pytest.fixture
def invited(actor: Any) -> Invite:
    def make(email: str = "emil@apps.example", role: str = "billing", **more: Any) -> Invitation:
        return inviting.invite(Invitee(email=email, role=role, **more), actor=actor, now=datetime.now(UTC))

    return make


def customer(actor: Any, now: datetime) -> Customer:
    fields = {"name": "Lind", "email": "nora@lind.example", "country": "DE", "currency": "EUR"}
    return create_customer(actor=actor, now=now, **fields)


def link_of(invitation: Invitation) -> str:
    return f"/invitation/{inviting.token_of(invitation)}/"


def accept(client: Client, link: str, **more: str) -> Any:
    return client.post(link, {"name": "Emil", "password": PASSWORD} | more)


def test_an_invitation_is_mailed_by_job_and_on_record(tenant: Any, invited: Invite) -> None:
    invitation = invited()
    assert Job.objects.get(name="accounts.mail_invitation").args == {"invitation_id": str(invitation.pk)}
    assert actions()[-1] == "user.invited"


def test_the_mailed_link_opens_the_form(
    tenant: Any, browser: Browser, invited: Invite, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append((mail, to)))
    invitation = invited()
    jobs.mail_invitation(invitation_id=str(invitation.pk))
    found = re.search(r"http://alpha\.localhost(?::\d+)?(/invitation/\S+/)", sent[0][0].text)
    assert found is not None and sent[0][1] == invitation.email
    page = browser().get(found.group(1))
    assert page.status_code == 200
    assert invitation.email in page.content.decode()


def test_accepting_makes_the_user_and_logs_in(tenant: Any, browser: Browser, invited: Invite) -> None:
    client = browser()
    answer = accept(client, link_of(invited()))
    assert (answer.status_code, answer["Location"]) == (302, "/manage/")
    user = User.objects.get(email="emil@apps.example")
    assert (user.name, user.role) == ("Emil", "billing")
    assert client.get("/log-in/").wsgi_request.user == user
    assert actions()[-2:] == ["user.invitation_accepted", "user.logged_in"]


def test_a_contact_may_act_for_its_customer(
    tenant: Any, browser: Browser, invited: Invite, actor: Any, now: datetime
) -> None:
    owner = customer(actor, now)
    answer = accept(browser(), link_of(invited(role="contact", customer=owner)))
    assert answer["Location"] == "/"
    assert Contact.objects.get().customer == owner


def test_a_link_works_once(tenant: Any, browser: Browser, invited: Invite) -> None:
    link = link_of(invited())
    accept(browser(), link)
    again = accept(browser(), link, name="Mallory")
    assert again.status_code == 410
    assert User.objects.get(email="emil@apps.example").name == "Emil"
    assert "was used or is too old" in again.content.decode()


def test_two_who_opened_it_at_once_do_not_both_get_in(
    tenant: Any, invited: Invite, actor: Any, now: datetime
) -> None:
    invitation = invited()
    inviting.accept(invitation, name="Emil", password=PASSWORD, actor=actor, now=now)
    with pytest.raises(inviting.InvitationRefused):
        inviting.accept(invitation, name="Mallory", password=PASSWORD, actor=actor, now=now)


def test_a_link_is_void_after_seven_days(tenant: Any, browser: Browser, invited: Invite) -> None:
    invitation = invited()
    Invitation.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert browser().get(link_of(invitation)).status_code == 410


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: "x" + t, lambda t: t + "A", lambda t: "nothing"]
)
def test_a_changed_link_is_void(
    tenant: Any, browser: Browser, invited: Invite, change: Callable[[str], str]
) -> None:
    token = inviting.token_of(invited())
    assert browser().get(f"/invitation/{change(token)}/").status_code == 410


@pytest.mark.parametrize(
    "value", ["x", ["t_alpha"], ["t_alpha", "zz"], {"a": 1}, ["t_alpha", None], [1, 2, 3]]
)
def test_a_well_signed_link_of_another_shape_is_void(tenant: Any, browser: Browser, value: Any) -> None:
    token = signing.Signer(salt=inviting.SALT).sign_object(value)
    assert browser().get(f"/invitation/{token}/").status_code == 410


def test_a_link_of_one_tenant_opens_nothing_in_another(
    two_tenants: Any, browser: Browser, invited: Invite
) -> None:
    with enter(two_tenants[0]):
        invitation = invited()
        link = link_of(invitation)
    with enter(two_tenants[1]):
        Invitation.objects.create(
            id=invitation.pk, email="eve@evil.example", role="owner", created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )  # fmt: skip
    assert accept(browser("beta"), link).status_code == 410
    assert accept(browser("alpha"), link).status_code == 302


def test_an_address_with_a_log_in_keeps_its_password(
    tenant: Any, browser: Browser, invited: Invite, people: People, actor: Any, now: datetime
) -> None:
    user, owner = people(role="contact"), customer(actor, now)
    invitation = invited(email=user.email.upper(), role="contact", customer=owner)
    stranger = accept(browser(), link_of(invitation), password="a guess of four words")
    assert stranger.status_code == 422
    assert not Contact.objects.exists()
    assert accept(browser(), link_of(invitation)).status_code == 302
    assert Contact.objects.get().user == user
    assert log_in(browser()).status_code == 302


def test_a_short_password_of_an_existing_log_in_is_proof_enough(
    tenant: Any, browser: Browser, invited: Invite, people: People
) -> None:
    """Twelve characters beside an app, or what an import brought: no new password is being set."""
    now = datetime.now(UTC)
    beside = people("emil@lind.example", role="contact", password="kelp on moss")
    with_app(beside, now)
    client = browser()
    answer = accept(client, link_of(invited(beside.email, role="billing")), password="kelp on moss")
    assert (answer.status_code, answer["Location"]) == (302, "/log-in/second/")
    brought = bcrypt.hashpw(b"old short", bcrypt.gensalt(4)).decode()
    imported = people("nele@lind.example", role="contact", password=None, bcrypt_hash=brought)
    again = accept(client, link_of(invited(imported.email, role="billing")), password="old short")
    assert again.status_code == 403 and "link" in again.content.decode()  # right, but no way in any more
    assert Job.objects.filter(name="accounts.mail_reset").count() == 1
    for user in (beside, imported):
        user.refresh_from_db()
        assert user.role == "billing"
    refused = accept(browser(), link_of(invited("new@lind.example")), password="kelp on moss")
    assert refused.status_code == 422 and not User.objects.filter(email="new@lind.example").exists()


@pytest.mark.parametrize(
    ("has", "asked", "gets"),
    [
        ("contact", "read_only", "read_only"), ("contact", "owner", "owner"), ("billing", "owner", "owner"),
        ("read_only", "support", "support"), ("support", "billing", "billing"),
        ("billing", "support", "billing"),
        ("billing", "contact", "billing"), ("owner", "billing", "owner"),
    ],
)  # fmt: skip
def test_an_invitation_raises_a_role_and_never_lowers_it(
    tenant: Any, invited: Invite, people: People, actor: Any, now: datetime, has: str, asked: str, gets: str
) -> None:
    user = people(role=has)
    of = customer(actor, now) if asked == "contact" else None
    invitation = invited(email=user.email, role=asked, customer=of)
    inviting.accept(invitation, name="Nora", password=PASSWORD, actor=actor, now=now)
    user.refresh_from_db()
    assert user.role == gets
    assert ("user.role_raised" in actions()) is (has != gets)


@pytest.mark.parametrize(
    "wrong", [{"password": "short"}, {"password": ""}, {"name": ""}, {"name": "x" * 201}]
)
def test_a_bad_form_is_shown_again(
    tenant: Any, browser: Browser, invited: Invite, wrong: dict[str, str]
) -> None:
    assert accept(browser(), link_of(invited()), **wrong).status_code == 422
    assert not User.objects.exists()
