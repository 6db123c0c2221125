"""Who may do what."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.customers import change_customer, create_customer
from accounts.models import Customer, User
from accounts.people import EmailTaken, add_contact
from accounts.permissions import may_act_for, may_change_settings, may_manage
from audit.models import AuditEvent
from audit.reading import opened

People = Callable[..., User]


@pytest.fixture
def lind(tenant: Any, actor: Any, now: datetime) -> Customer:
    fields = {"name": "Lind", "email": "nora@lind.example", "country": "DE", "currency": "EUR"}
    return create_customer(actor=actor, now=now, **fields)


@pytest.mark.parametrize(
    ("role", "manages", "sets"),
    [
        ("owner", True, True),
        ("billing", True, False),
        ("support", True, False),
        ("read_only", True, False),
        ("contact", False, False),
    ],
)
def test_roles(tenant: Any, people: People, role: str, manages: bool, sets: bool) -> None:
    user = people(role=role)
    assert (may_manage(user), may_change_settings(user)) == (manages, sets)
    assert not user.is_staff


def test_nobody_may_do_nothing(lind: Customer) -> None:
    nobody = AnonymousUser()
    assert not (may_manage(nobody) or may_change_settings(nobody) or may_act_for(nobody, lind))


def test_somebody_deactivated_may_do_nothing(
    lind: Customer, people: People, actor: Any, now: datetime
) -> None:
    user = people()
    add_contact(user, lind, actor=actor, now=now)
    user.is_active = False
    assert not (may_manage(user) or may_change_settings(user) or may_act_for(user, lind))


def test_only_its_contacts_act_for_a_customer(
    lind: Customer, people: People, actor: Any, now: datetime
) -> None:
    user, other = people(role="contact"), people("emil@apps.example", role="contact")
    add_contact(user, lind, actor=actor, now=now)
    assert may_act_for(user, lind) and not may_act_for(other, lind)
    assert not may_act_for(people("owner@alpha.example"), lind)


def test_a_contact_is_added_once(lind: Customer, people: People, actor: Any, now: datetime) -> None:
    user = people(role="contact")
    assert add_contact(user, lind, actor=actor, now=now) == add_contact(user, lind, actor=actor, now=now)
    assert AuditEvent.objects.filter(action="contact.added").count() == 1


def test_an_address_logs_in_once(tenant: Any, people: People) -> None:
    people()
    with pytest.raises(EmailTaken):
        people("NORA@lind.example")


def test_a_change_of_a_customer_is_on_record_with_before_and_after(
    lind: Customer, actor: Any, now: datetime
) -> None:
    change_customer(lind, city="Hamburg", name="Lind", actor=actor, now=now)
    event = AuditEvent.objects.get(action="customer.changed")
    found = opened([event])[0]
    assert (found.details["after"], found.label) == ({"city": "Hamburg"}, "Tester")


def test_a_change_to_nothing_new_leaves_no_event(lind: Customer, actor: Any, now: datetime) -> None:
    change_customer(lind, name="Lind", actor=actor, now=now)
    assert not AuditEvent.objects.filter(action="customer.changed").exists()
