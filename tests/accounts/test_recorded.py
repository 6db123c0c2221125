"""What is done to people and their log-ins leaves its event: one for each rule no other test asks about."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db.models import Max

from accounts import email_changing, inviting, naming, passkeys, rotations, shutting
from accounts.email_changing import Wish
from accounts.inviting import Invitee
from accounts.models import Invitation, Passkey, User
from accounts.people import create_user
from audit.actions import Action
from audit.models import AuditEvent
from audit.reading import opened
from tests.accounts.factors import SETUP

By = dict[str, Any]
HOST = "pay.lind.example"


@pytest.fixture
def by(actor: Any, now: datetime) -> By:
    return {"actor": actor, "now": now}


@pytest.fixture
def nora(tenant: Any, people: Callable[..., User]) -> User:
    return people()


@pytest.fixture
def invited(tenant: Any, now: datetime) -> Invitation:
    return inviting.invite(Invitee("otto@lind.example", "billing"), actor=SETUP, now=now)


def recorded(rule: Callable[[], object], by: By) -> list[AuditEvent]:
    """Every event that the rule records, each by the actor."""
    last = AuditEvent.objects.aggregate(last=Max("seq", default=0))["last"]
    rule()
    found = list(AuditEvent.objects.filter(seq__gt=last).order_by("seq"))
    assert {(each.actor_kind, each.actor_id) for each in found} <= {(by["actor"].kind, by["actor"].id)}
    return found


def told(rule: Callable[[], object], by: By) -> list[tuple[str, str, str, dict[str, Any]]]:
    """The same in short: action, subject and what of the details is not sealed."""
    found = recorded(rule, by)
    return [(each.action, each.subject_kind, each.subject_id, each.details) for each in found]


def test_a_person_is_made_on_record(tenant: Any, by: By) -> None:
    made: list[User] = []
    new: dict[str, Any] = {"email": "nora@lind.example", "name": "Nora", "role": "support", "password": None}
    events = told(lambda: made.append(create_user(**new, **by)), by)
    assert events == [(Action.USER_CREATED, "user", str(made[0].pk), {"after": {"role": "support"}})]


def test_a_person_is_renamed_on_record(nora: User, by: By) -> None:
    (event,) = opened(recorded(lambda: naming.rename(nora, "Nora Berg", **by), by))
    assert (event.event.action, event.event.subject_kind) == (Action.USER_RENAMED, "user")
    assert event.event.subject_id == str(nora.pk)
    assert event.details == {"before": {"name": "Nora Lind"}, "after": {"name": "Nora Berg"}}


def test_a_wish_for_another_address_is_withdrawn_on_record(nora: User, by: By) -> None:
    email_changing.ask(Wish(nora, "nora@berg.example"), **by)
    events = told(lambda: email_changing.withdraw(nora, **by), by)
    assert events == [(Action.EMAIL_CHANGE_WITHDRAWN, "user", str(nora.pk), {})]


def test_an_invitation_is_sent_again_on_record(invited: Invitation, by: By) -> None:
    events = told(lambda: inviting.send_again(invited, **by), by)
    assert events == [(Action.USER_INVITED_AGAIN, "invitation", str(invited.pk), {})]


def test_an_invitation_is_withdrawn_on_record(invited: Invitation, by: By) -> None:
    events = told(lambda: inviting.withdraw(invited, **by), by)
    before = {"before": {"role": "billing"}}
    assert events == [(Action.USER_INVITATION_WITHDRAWN, "invitation", str(invited.pk), before)]


def test_invitations_are_withdrawn_on_record_when_log_ins_are_replaced(invited: Invitation, by: By) -> None:
    events = told(lambda: rotations.end_sessions_and_links(by["actor"], by["now"]), by)
    before = {"before": {"role": "billing"}}
    assert events == [(Action.USER_INVITATION_WITHDRAWN, "invitation", str(invited.pk), before)]


def test_passkeys_go_with_their_host_on_record(nora: User, by: By) -> None:
    for number in (b"1", b"2"):
        key = {"user": nora, "name": "P", "credential_id": number, "public_key": b"k"}
        Passkey.objects.create(host=HOST, created_at=by["now"], **key)
    events = told(lambda: passkeys.forget_host(HOST, **by), by)
    assert events == [(Action.PASSKEY_REMOVED, "user", str(nora.pk), {"host": HOST, "passkeys": 2})]


def test_a_person_is_shut_out_and_let_in_again_on_record(nora: User, by: By) -> None:
    ids, because = [str(nora.pk)], {"because": "frozen"}
    events = told(lambda: shutting.shut(ids, **by), by)
    assert events == [(Action.USER_DEACTIVATED, "user", ids[0], because)]
    events = told(lambda: shutting.let_in(ids, **by), by)
    assert events == [(Action.USER_REACTIVATED, "user", ids[0], because)]
