"""What is personal in an event: sealed, opened for readers, gone with the key; the chain stays whole."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.actions import Action
from audit.actors import Actor
from audit.chain import body, details_text, link_2, stamp
from audit.models import AuditEvent, ChainHead
from audit.reading import ERASED, opened
from audit.recording import Note, record, record_many
from audit.verifying import BODY, verify
from tests.audit.old_format import record_1
from tests.conftest import NOW
from vault import subject_keys
from vault.errors import SealBroken

ADA = Actor("user", "7", "Ada <ada@canary.example>", ip="192.0.2.99", user_agent="CanaryBrowser/1")
CANARIES = ("Ada", "canary.example", "192.0.2.99", "CanaryBrowser", "Canary Street")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)


def change(**more: Any) -> AuditEvent:
    with transaction.atomic():
        event_id = record(
            Action.CUSTOMER_CHANGED, subject=("customer", "9"), actor=ADA, now=NOW, after={"n": 1},
            personal={"before": {"street": "Canary Street 1"}, "after": {"street": "Canary Street 2"}},
            why="moved", **more,
        )  # fmt: skip
    return AuditEvent.objects.get(pk=event_id)


def everything() -> str:
    """All columns of all events, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(e::text, ' ') FROM audit_auditevent e")
        return str(cursor.fetchone()[0])


def test_nothing_personal_stands_in_any_column_and_readers_see_it_all(tenant: Any) -> None:
    event = change()
    stored = everything()
    assert [each for each in CANARIES if each in stored] == []
    found = opened([event])[0]
    assert (found.label, found.ip, found.user_agent) == (ADA.label, ADA.ip, ADA.user_agent)
    assert found.details == {
        "before": {"street": "Canary Street 1"},
        "after": {"n": 1, "street": "Canary Street 2"},
        "why": "moved",
    }
    assert not found.erased
    assert event.about == "customer:9"
    assert verify().problem is None


def test_with_the_key_the_person_is_gone_and_the_chain_is_whole(tenant: Any) -> None:
    events = [change(), change()]
    subject_keys.destroy("user", "7", now=NOW)
    found = opened(events)
    assert {(each.label, each.ip, each.user_agent, each.erased) for each in found} == {(ERASED, "", "", True)}
    assert found[0].details["after"] == {"n": 1, "street": "Canary Street 2"}  # another person's
    subject_keys.destroy("customer", "9", now=NOW)
    assert opened(events)[0].details == {"after": {"n": 1}, "why": "moved", "personal": ERASED}
    later = change()  # whoever is erased leaves no more than that something was
    assert (bytes(later.actor_sealed or b"x"), bytes(later.details_sealed or b"x")) == (b"x", b"x")
    assert opened([later])[0].label == ERASED
    assert verify().problem is None


def test_staff_behind_a_user_are_sealed_under_their_own_key(tenant: Any) -> None:
    robin = Actor("user", "7", "Ada", behind_id="55", behind_label="Robin of the platform")
    with transaction.atomic():
        event_id = record(Action.USER_LOGGED_IN, subject=("user", "7"), actor=robin, now=NOW)
    event = AuditEvent.objects.get(pk=event_id)
    assert "Robin" not in everything()
    assert (opened([event])[0].label, opened([event])[0].behind) == ("Ada", "Robin of the platform")
    subject_keys.destroy("staff", "55", now=NOW)
    assert (opened([event])[0].label, opened([event])[0].behind) == ("Ada", ERASED)


def test_visitors_share_a_key_with_their_month(tenant: Any) -> None:
    visitor = Actor("visitor", "", "visitor", ip="198.51.100.7", user_agent="Curious/2")
    with transaction.atomic():
        event_id = record(Action.USER_LOGIN_FAILED, subject=("user", "7"), actor=visitor, now=NOW)
    event = AuditEvent.objects.get(pk=event_id)
    assert "198.51.100.7" not in everything()
    assert opened([event])[0].ip == "198.51.100.7"
    subject_keys.destroy("visitor", "2026-11", now=NOW)
    assert opened([event])[0].erased


def test_the_system_is_nobody_and_costs_no_key(tenant: Any) -> None:
    notes = [Note(Action.INVOICE_PAID, "invoice", str(n), {"number": n}) for n in range(20)]
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        ids = record_many(notes, actor=Actor.system("invoice run"), now=NOW)
    assert not [query for query in seen.captured_queries if "subjectkey" in query["sql"]]
    assert opened([AuditEvent.objects.get(pk=ids[0])])[0].label == "invoice run"
    assert AuditEvent.objects.get(pk=ids[0]).actor_sealed is None


def test_a_page_of_events_is_opened_by_one_query(tenant: Any) -> None:
    events = [change() for _ in range(10)]
    with CaptureQueriesContext(connection) as seen:
        assert len(opened(events)) == 10
    assert len(seen.captured_queries) == 1


def test_events_of_both_formats_stand_in_one_chain_and_read_the_same(tenant: Any) -> None:
    with transaction.atomic():
        record_1(Action.CUSTOMER_CHANGED, subject=("customer", "9"), actor=ADA, now=NOW, after={"a": 1})
    change()
    with transaction.atomic():
        record_1(Action.CUSTOMER_CHANGED, subject=("customer", "9"), actor=ADA, now=NOW, n=[1, {"b": None}])
    old = opened(AuditEvent.objects.filter(format=1))
    assert {(each.label, each.ip, each.user_agent) for each in old} == {(ADA.label, ADA.ip, ADA.user_agent)}
    assert verify().problem is None


def test_moved_ciphertext_is_refused(tenant: Any) -> None:
    one, other = change(), change()
    one.actor_sealed = other.actor_sealed
    with pytest.raises(SealBroken):
        opened([one])


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_python_writes_details_as_postgresql_does(details: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [details_text(details)])
        assert cursor.fetchone()[0] == details_text(details)


test_python_writes_details_as_postgresql_does = pytest.mark.usefixtures("tenant")(
    test_python_writes_details_as_postgresql_does
)


@pytest.mark.parametrize("wrong", [{"a": 1.5}, {"a": b"x"}, {1: "a"}, {"a": {"b": NOW}}])
def test_what_postgresql_would_write_otherwise_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError):
        details_text(wrong)


def test_the_database_gives_the_bytes_that_the_definition_names(tenant: Any) -> None:
    event = change(odd='"\\\t\x7fäß🙂\u2028', none=None)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {BODY} FROM audit_auditevent WHERE id = %s", [event.pk])
        written = bytes(cursor.fetchone()[0])
    fields = (
        str(event.pk), event.seq, stamp(event.at), event.action, "user", "7", "", "", "customer", "9",
    )  # fmt: skip
    blobs = (event.actor_sealed, event.behind_sealed, event.details_sealed)
    rest = (event.about, *(None if blob is None else bytes(blob).hex() for blob in blobs))
    assert written == body(fields, details_text(event.details), rest)
    assert link_2(bytes(event.prev_hash), written) == bytes(event.hash) == bytes(ChainHead.objects.get().hash)
