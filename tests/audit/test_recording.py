"""Recording: in the change's own transaction, at the head of one chain a schema, by one writer at a time."""

# ruff: noqa: PT012 - what must be undone is undone by raising

import random
import threading
import time
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.models import AuditEvent, ChainHead
from audit.reading import opened
from audit.recording import Note, record, record_many
from audit.verifying import verify
from tenants.context import enter, enter_public
from tests.conftest import NOW

SYSTEM = Actor.system("tests")
REFUSED = r"permission denied|must be owner|one_chain_a_schema|one_check_a_schema|no event of the chain"


class Undo(Exception):
    """Raised to roll a block back."""


def add(count: int = 1, **details: Any) -> None:
    with transaction.atomic():
        record_many(
            [Note(Action.CUSTOMER_CHANGED, "customer", str(n), details) for n in range(count)],
            actor=SYSTEM,
            now=NOW,
        )


def test_an_event_says_who_did_what_to_what_when_and_from_where(
    tenant: Any, actor: Actor, now: datetime
) -> None:
    with transaction.atomic():
        event_id = record(
            Action.CUSTOMER_CHANGED,
            subject=("customer", 7),
            actor=actor,
            now=now,
            before={"status": "Old"},
            after={"status": "New"},
            why="asked by mail",
        )
    event = AuditEvent.objects.get(pk=event_id)
    assert (event.action, event.subject_kind, event.subject_id, event.at) == (
        "customer.changed", "customer", "7", now,
    )  # fmt: skip
    assert (event.actor_kind, event.actor_id, event.format) == ("user", "1", 2)
    assert (event.actor_label, event.ip, event.user_agent) == ("", None, "")
    found = opened([event])[0]
    assert (found.label, found.ip, found.user_agent) == ("Tester", "192.0.2.1", "pytest")
    assert event.details == {"before": {"status": "Old"}, "after": {"status": "New"}, "why": "asked by mail"}
    assert verify().problem is None


def test_events_follow_each_other(tenant: Any) -> None:
    start = ChainHead.objects.get().seq
    add(3)
    add(2)
    events = list(AuditEvent.objects.filter(seq__gt=start).order_by("seq"))
    assert [event.seq for event in events] == [start + n for n in range(1, 6)]
    for one, following in pairwise(events):
        assert bytes(following.prev_hash) == bytes(one.hash)
    head = ChainHead.objects.get()
    assert (head.seq, bytes(head.hash)) == (events[-1].seq, bytes(events[-1].hash))
    assert verify().events == events[-1].seq


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"note": "Grüße 株式会社 مرحبا 🙂 \u2028 \\ \" ' \x7f"},
        {"long": "x" * 5000, "empty": "", "spaces": "  a  "},
        {"numbers": [0, -1, 2**53, 2**63 - 1, -(2**63), 10**30]},
        {"nested": {"z": {"b": [1, {"a": None, "ä": True}]}, "a": False}},
        {"b": 1, "a": 2, "aa": 3, "Z": 4, "": 5},
        {"list": [[], {}, [[]], None]},
    ],
)
def test_details_survive_the_way_through_jsonb(tenant: Any, details: dict[str, Any]) -> None:
    with transaction.atomic():
        event_id = record_many(
            [Note(Action.SETTINGS_CHANGED, "settings", "1", details)], actor=SYSTEM, now=NOW
        )[0]
    assert AuditEvent.objects.get(pk=event_id).details == details
    assert verify().problem is None


@pytest.mark.parametrize(
    "ip",
    [
        None, "192.0.2.1", "2001:db8::1", "::1", "::",
        "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:DB8::ABCD",
        "::ffff:192.0.2.1", "fe80::1:0:0:1", "1:0:0:2:0:0:0:3",
    ],
)  # fmt: skip
def test_every_form_of_an_address_verifies(tenant: Any, ip: str | None) -> None:
    with transaction.atomic():
        who = Actor("user", "1", "x", ip=ip)
        record(Action.USER_LOGGED_IN, subject=("user", 1), actor=who, now=NOW)
    assert verify().problem is None


@pytest.mark.parametrize(
    "who",
    [
        Actor("user", "x" * 64, "l" * 300, user_agent="u" * 900),
        Actor("user", "1", "Zoë 🙂", user_agent="Mozilla/5.0 (\u202e)"),
        Actor.vendor("Stripe"),
        Actor.system("invoice run"),
    ],
)
def test_every_actor_verifies(tenant: Any, who: Actor) -> None:
    with transaction.atomic():
        record(Action.USER_LOGGED_IN, subject=("user", 1), actor=who, now=NOW)
    assert verify().problem is None


def test_outside_a_transaction_nothing_is_recorded(fresh_tenant: Any) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(RuntimeError, match="belongs in the transaction"):
        record(Action.CUSTOMER_CHANGED, subject=("customer", 1), actor=SYSTEM, now=NOW)
    assert AuditEvent.objects.count() == before


def test_what_rolls_back_leaves_no_event_and_no_gap(fresh_tenant: Any) -> None:
    before = ChainHead.objects.get().seq
    with pytest.raises(Undo), transaction.atomic():
        add(5)
        raise Undo
    with transaction.atomic():
        with pytest.raises(Undo), transaction.atomic():
            add(2)
            raise Undo
        add(1)
    assert ChainHead.objects.get().seq == before + 1
    assert verify().problem is None


def test_nothing_to_record_is_nothing(tenant: Any) -> None:
    before = ChainHead.objects.get().seq
    with transaction.atomic():
        assert record_many([], actor=SYSTEM, now=NOW) == []
    assert ChainHead.objects.get().seq == before


def test_each_schema_has_a_chain_of_its_own(two_tenants: Any) -> None:
    alpha, beta = two_tenants
    with enter(beta):
        other = ChainHead.objects.get().seq
    with enter(alpha):
        add(3)
        assert verify().problem is None
    with enter(beta):
        assert ChainHead.objects.get().seq == other
    with enter_public():
        add(1)
        assert verify().problem is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET action = 'x'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "TRUNCATE audit_auditevent CASCADE",
        "ALTER TABLE audit_auditevent DISABLE TRIGGER append_only",
        "DROP TABLE audit_auditevent",
        "SET session_replication_role = replica",
        "SELECT set_config('audit.purging', 'x', true); DELETE FROM audit_auditevent",
        "INSERT INTO audit_chaincheck (id, at, seq, problem) VALUES (2, now(), 0, '')",
        "DELETE FROM audit_purgedlink",
        "SELECT public.audit_purge('public', now(), gen_random_uuid())",
        "UPDATE audit_chainhead SET id = 2",
        "INSERT INTO audit_chainhead (id, seq, hash) VALUES (2, 0, '')",
    ],
)
@pytest.mark.parametrize("inside", ["tenant", "platform"])
def test_the_app_cannot_rewrite_history(two_tenants: Any, statement: str, inside: str) -> None:
    with enter(two_tenants[0]) if inside == "tenant" else enter_public():
        add()
        refused = pytest.raises(DatabaseError, match=REFUSED)
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert verify().problem is None


def test_many_writers_keep_one_chain(fresh_tenant: Any) -> None:
    before = ChainHead.objects.get().seq
    failed: list[BaseException] = []
    kept: list[int] = []

    def write(seed: int) -> None:
        dice = random.Random(seed)
        try:
            with enter(fresh_tenant):
                for _ in range(15):
                    count = dice.randint(1, 4)
                    try:
                        with transaction.atomic():
                            add(count, by=seed)
                            if dice.random() < 0.25:
                                raise Undo
                        kept.append(count)
                    except Undo:
                        continue
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    verdict = verify()
    assert (verdict.problem, verdict.events) == (None, before + sum(kept))


def test_ten_thousand_events_are_recorded_and_verified_within_seconds(tenant: Any) -> None:
    began = time.perf_counter()
    add(10_000, before={"status": "Old"}, after={"status": "New"})
    recorded = time.perf_counter() - began
    began = time.perf_counter()
    assert verify().problem is None
    assert recorded < 5
    assert time.perf_counter() - began < 5


def test_actions_are_named_subject_dot_verb_and_fit_their_column() -> None:
    for action in Action:
        subject, _, verb = action.value.partition(".")
        assert subject
        assert verb
        assert len(action.value) <= 64
        assert action.name == action.value.replace(".", "_").upper()
