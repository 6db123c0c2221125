"""Whoever owns the whole database falls upon the record; chain, checkpoints and the copies outside tell."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from audit import checkpoints, verifying
from audit.actions import Action
from audit.chain import GENESIS, link_2
from audit.checkpoints import Signed
from audit.models import Anchor, AuditEvent, ChainCheck, ChainHead, Checkpoint, PurgedLink
from audit.recording import record
from audit.store_gateway import S3Store, StoreUnavailable
from audit.verifying import BODY, verify
from privacy import sweeping
from proecommerce.alarms import alarms
from tenants import audit_jobs, checkpointing, clock, record_checking, testimony
from tenants.audit_purging import find_old, purge
from tenants.context import enter_public
from tenants.directory import tenant_of_slug
from tests.audit.alphas import CHECKPOINTS, LONG_AGO, SYSTEM, add, found, taken
from tests.audit.own_database import Own
from tests.conftest import NOW, ROOT, new_bucket
from vault import signing


def last() -> int:
    return ChainHead.objects.get().seq


def rewrite(own: Own, *changes: str) -> None:
    """Change what stands in the chain, then compute every link anew, the head's too."""
    own.do(*changes)
    prev, seq = GENESIS, 0
    for (seq,) in own.owner.execute("SELECT seq FROM t_alpha.audit_auditevent ORDER BY seq").fetchall():
        query = f"SELECT {BODY} FROM t_alpha.audit_auditevent WHERE seq = %s"
        (text,) = own.owner.execute(query.encode(), [seq]).fetchone() or (b"",)
        digest = link_2(prev, bytes(text))
        own.owner.execute(
            "UPDATE t_alpha.audit_auditevent SET prev_hash = %s, hash = %s WHERE seq = %s",
            [prev, digest, seq],
        )
        prev = digest
    own.owner.execute("UPDATE t_alpha.audit_chainhead SET seq = %s, hash = %s", [seq, prev])


EVENTS = "t_alpha.audit_auditevent"
KINDS: dict[str, tuple[Callable[[int], list[str]], str]] = {
    "an event changed": (
        lambda n: [f"UPDATE {EVENTS} SET details = '{{}}' WHERE seq = {n - 2}"],
        "was changed",
    ),
    "the first one deleted": (lambda n: [f"DELETE FROM {EVENTS} WHERE seq = 1"], "event 1 is missing"),
    "one in the middle deleted": (lambda n: [f"DELETE FROM {EVENTS} WHERE seq = {n - 2}"], "is missing"),
    "the last one deleted": (
        lambda n: [f"DELETE FROM {EVENTS} WHERE seq = {n}"],
        "but its head stands at",
    ),
    "one put in": (
        lambda n: [
            f"UPDATE {EVENTS} SET seq = seq + 100 WHERE seq > {n - 2}",
            f"INSERT INTO {EVENTS} (id, seq, at, action, actor_kind, actor_id, actor_label, subject_kind,"
            " subject_id, details, user_agent, behind_id, behind_label, about, format, prev_hash, hash)"
            " SELECT gen_random_uuid(), seq + 1, at, action, actor_kind, actor_id, actor_label, subject_kind,"
            f" subject_id, details, '', '', '', '', 2, hash, hash FROM {EVENTS} WHERE seq = {n - 2}",
            f"UPDATE {EVENTS} SET seq = seq - 99 WHERE seq > {n + 2}",
            "UPDATE t_alpha.audit_chainhead SET seq = seq + 1",
        ],
        "was changed",
    ),
    "two exchanged": (
        lambda n: [
            f"UPDATE {EVENTS} SET seq = -1 WHERE seq = {n}",
            f"UPDATE {EVENTS} SET seq = {n} WHERE seq = {n - 1}",
            f"UPDATE {EVENTS} SET seq = {n - 1} WHERE seq = -1",
        ],
        "does not follow",
    ),
    "one doubled": (
        lambda n: [
            f"CREATE TEMP TABLE twin AS SELECT * FROM {EVENTS} WHERE seq = {n}",
            f"UPDATE twin SET id = gen_random_uuid(), seq = {n + 1}",
            f"INSERT INTO {EVENTS} SELECT * FROM twin",
            "DROP TABLE twin",
        ],
        "does not follow",
    ),
    "numbers changed": (
        lambda n: [f"UPDATE {EVENTS} SET seq = seq + 1000 WHERE seq > {n - 2}"],
        "is missing",
    ),
    "the end cut off, the head with it": (
        lambda n: [
            f"DELETE FROM {EVENTS} WHERE seq > {n - 2}",
            f"UPDATE t_alpha.audit_chainhead SET (seq, hash) ="
            f" (SELECT seq, hash FROM {EVENTS} WHERE seq = {n - 2})",
        ],
        "a checkpoint has seen event",
    ),
    "a whole month gone": (
        lambda n: [f"DELETE FROM {EVENTS} WHERE at >= '2026-10-01' AND at < '2026-11-01'"],
        "is missing",
    ),
    "a sealed column emptied": (
        lambda n: [f"UPDATE {EVENTS} SET actor_sealed = NULL WHERE seq = {n - 2}"],
        "was changed",
    ),
    "an anchor moved": (
        lambda n: ["UPDATE public.audit_anchor SET seq = seq - 1 WHERE schema_name = 't_alpha'"],
        "are not those that it lists",
    ),
    "a checkpoint removed": (
        lambda n: [
            "DELETE FROM public.audit_anchor WHERE checkpoint_id = 2",
            "DELETE FROM public.audit_checkpoint WHERE number = 2",
        ],
        "checkpoint 2 is missing",
    ),
    "a checkpoint's text changed": (
        lambda n: ["UPDATE public.audit_checkpoint SET document = replace(document, '2026', '2025')"],
        "is not signed by our key",
    ),
    "an event hidden below the first": (
        lambda n: [
            f"CREATE TEMP TABLE twin AS SELECT * FROM {EVENTS} WHERE seq = {n}",
            "UPDATE twin SET id = gen_random_uuid(), seq = -5",
            f"INSERT INTO {EVENTS} SELECT * FROM twin",
            "DROP TABLE twin",
        ],
        "stands twice",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_tampering_is_found(own: Own, kind: str) -> None:
    statements, said = KINDS[kind]
    own.do(*statements(last()))
    assert any(said in each for each in found(outside=False)), found(outside=False)


def test_a_chain_written_anew_as_a_whole_is_found_by_the_checkpoints(own: Own) -> None:
    rewrite(own, f'UPDATE {EVENTS} SET details = \'{{"after": {{"n": 77}}}}\' WHERE seq = 3')
    assert verify().problem is None  # the chain by itself tells nothing
    assert any("is not the one that a signed checkpoint names" in each for each in found(outside=False))


def test_with_the_signing_key_stolen_the_store_outside_still_tells(own: Own) -> None:
    rewrite(own, f'UPDATE {EVENTS} SET details = \'{{"after": {{"n": 77}}}}\' WHERE seq = 3')
    own.do("DELETE FROM public.audit_anchor", "DELETE FROM public.audit_checkpoint")
    for at in CHECKPOINTS:
        checkpointing.take(now=at)
    assert found(outside=False) == []  # all of it anew, and signed
    assert found() == ["checkpoint 1 is another one in the store"]


def test_a_return_to_an_old_checkpoint_is_found_by_the_store(own: Own) -> None:
    number = len(taken())
    with enter_public():
        seq = Anchor.objects.filter(schema_name="t_alpha").order_by("seq")[1].seq
    own.do(
        f"DELETE FROM {EVENTS} WHERE seq > {seq}",
        f"UPDATE t_alpha.audit_chainhead SET (seq, hash) ="
        f" (SELECT seq, hash FROM {EVENTS} WHERE seq = {seq})",
        f"DELETE FROM public.audit_anchor WHERE checkpoint_id = {number}",
        f"DELETE FROM public.audit_checkpoint WHERE number = {number}",
    )
    assert found(outside=False) == []  # a state that once was right
    assert found() == [f"the store holds checkpoint {number}, which is not here any more"]


def test_a_vanished_tenant_and_a_vanished_copy_are_missed(own: Own) -> None:
    assert testimony.lost_chains() == []
    third = taken()[2]
    with enter_public():
        Anchor.objects.create(
            id="00000000-0000-0000-0000-000000000001", checkpoint=third, at=third.at,
            schema_name="t_gone", seq=1, hash=bytes(32),
        )  # fmt: skip
    assert testimony.lost_chains() == ["t_gone"]
    with enter_public():
        checkpointing.take(now=NOW)
        Checkpoint.objects.filter(number=4).update(stored_at=NOW)
    assert any("checkpoint 4 is not in the store any more" in each for each in found())


# Purging.


def test_a_purge_takes_what_is_old_and_leaves_a_chain_that_verifies(own: Own) -> None:
    before = {event.seq: bytes(event.hash) for event in AuditEvent.objects.all()}
    old = set(AuditEvent.objects.filter(at=LONG_AGO, action="customer.changed").values_list("seq", flat=True))
    assert find_old(now=NOW).count == len(old) == 5
    assert purge(actor=SYSTEM, now=NOW) == 5
    assert {row.seq: bytes(row.hash) for row in PurgedLink.objects.all()} == {n: before[n] for n in old}
    assert not AuditEvent.objects.filter(seq__in=old).exists()
    assert AuditEvent.objects.filter(at=LONG_AGO).get().action == "invoice.issued"  # money: seven years
    assert found() == []
    assert purge(actor=SYSTEM, now=NOW) == 0
    checkpointing.take(now=NOW)
    assert found(outside=False) == []
    head = checkpoints.read(taken()[-1].document.encode())
    assert head is not None
    counted = {each.schema: each.count for each in head.heads}
    assert counted["t_alpha"] == AuditEvent.objects.count()


def test_nothing_goes_early_under_hold_or_while_the_books_name_it(own: Own) -> None:
    assert find_old(now=LONG_AGO + timedelta(days=700)).count == 0
    assert find_old(now=datetime(2026, 9, 30, 23, 59, tzinfo=UTC)).count == 0  # the checkpoint is too young
    assert find_old(now=datetime(2026, 10, 1, tzinfo=UTC)).count == 5
    refused = pytest.raises(DatabaseError, match="an instant that has come")
    ahead = datetime(2100, 1, 1, tzinfo=UTC)
    with refused, enter_public(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM public.audit_purgeable('t_alpha', %s)", [ahead])
    assert find_old(now=ahead) == find_old(now=datetime.now(UTC))  # a clock that is ahead is not believed
    event = AuditEvent.objects.filter(at=LONG_AGO).earliest("seq")
    own.do(
        "INSERT INTO t_alpha.billing_journalentry (id, key, audit_event_id, booked_at, booked_on)"
        f" VALUES (gen_random_uuid(), 'test', '{event.pk}', now(), now())"
    )
    assert find_old(now=NOW).count == 4
    own.do(f"DELETE FROM t_alpha.billing_journalentry WHERE audit_event_id = '{event.pk}'")


@pytest.mark.parametrize("place", ["t_alpha", "public"])
def test_a_hold_on_anybody_in_a_tenant_or_on_the_whole_of_it_stops_the_purge(own: Own, place: str) -> None:
    """Of a customer tell events of invoices and of others too: one hold keeps the whole record."""
    with enter_public():
        whom = ("customer", "9") if place == "t_alpha" else ("tenant", str(tenant_of_slug("alpha").pk))
    own.do(
        f"INSERT INTO {place}.privacy_hold (id, subject_kind, subject_id, reason, placed_by, placed_at,"
        f" review_on, lifted_because) VALUES (gen_random_uuid(), '{whom[0]}', '{whom[1]}', 'court', 'x',"
        " now(), now(), '')"
    )
    assert purge(actor=SYSTEM, now=NOW) == 0
    audit_jobs.purge_audit()
    assert sweeping.audit_record(now=NOW, dry_run=True, actor=SYSTEM)[0].count == 0
    assert AuditEvent.objects.filter(at=LONG_AGO, subject_kind="customer").count() == 6
    own.do(f"UPDATE {place}.privacy_hold SET lifted_at = now()")
    assert purge(actor=SYSTEM, now=NOW) == 5
    own.do(f"DELETE FROM {place}.privacy_hold")


def test_money_goes_only_when_a_checkpoint_has_seen_it_for_seven_years(own: Own) -> None:
    own.do(f"UPDATE {EVENTS} SET at = '2019-01-01' WHERE action = 'invoice.issued'")
    assert find_old(now=NOW).count == 5
    own.do(
        "UPDATE public.audit_anchor SET at = '2019-06-01' WHERE checkpoint_id = 1 AND schema_name = 't_alpha'"
    )
    assert find_old(now=NOW).count == 6


def test_an_event_dated_back_is_not_purged_before_a_checkpoint_has_seen_it_for_two_years(own: Own) -> None:
    late = add(LONG_AGO, n="dated back")
    assert find_old(now=NOW).count == 5
    purge(actor=SYSTEM, now=NOW)
    assert AuditEvent.objects.filter(pk=late.pk).exists()


def feign_purge(own: Own, event: AuditEvent, *, at: datetime = NOW, kind: str = "") -> None:
    """Take one event out as if it had been purged `at`, with a linked record of that."""
    digest = hashlib.sha256(bytes(event.hash)).hexdigest()
    told: dict[str, Any] = {"count": 2 if kind == "wrong count" else 1, "last": event.seq, "digest": digest}
    with transaction.atomic():
        made = record(Action.AUDIT_PURGED, subject=("audit", "t_alpha"), actor=SYSTEM, now=at, **told)
    marker = "gen_random_uuid()" if kind == "no record" else f"'{made}'"
    own.do(
        f"INSERT INTO t_alpha.audit_purgedlink SELECT seq, prev_hash, hash, {marker} FROM {EVENTS}"
        f" WHERE seq = {event.seq}",
        f"DELETE FROM {EVENTS} WHERE seq = {event.seq}",
        "UPDATE t_alpha.audit_chainhead SET purged = purged + 1",
    )


@pytest.mark.parametrize("seen", [False, True])
def test_a_purge_dated_ahead_makes_nothing_old(own: Own, seen: bool) -> None:
    feign_purge(own, AuditEvent.objects.get(seq=last() - 1), at=datetime(2030, 1, 1, tzinfo=UTC))
    if seen:  # by a checkpoint, and looked at when its time has come: the checkpoint dates it
        checkpointing.take(now=NOW)
    said = testimony.nightly().anchors
    assert "no checkpoint shows that it was old enough" in (verify(said).problem or "")
    assert any("no checkpoint shows that it was old enough" in each for each in found(outside=False))


def test_an_old_purge_dated_ahead_is_found_years_later_too(own: Own, monkeypatch: pytest.MonkeyPatch) -> None:
    feign_purge(own, AuditEvent.objects.get(seq=last() - 1), at=datetime(2030, 1, 1, tzinfo=UTC))
    checkpointing.take(now=NOW)
    usual = verifying._ends
    monkeypatch.setattr(verifying, "_ends", lambda: replace(usual(), now=datetime(2032, 1, 1, tzinfo=UTC)))
    said = verify(testimony.whole()).problem
    assert said is not None and "no checkpoint shows that it was old enough" in said


def test_an_event_that_concerns_money_may_not_go_after_two_years(own: Own) -> None:
    feign_purge(own, AuditEvent.objects.get(action=Action.INVOICE_ISSUED, at=LONG_AGO))
    place = testimony.whole()[0].seq
    wanted = f"up to event {place} 1 that concern money are gone before their time"
    assert found(outside=False) == [wanted]
    checkpointing.take(now=NOW)  # and by night, when only the newest of them are read
    assert "are gone before their time" in (verify(testimony.nightly().anchors).problem or "")


def test_an_event_put_into_an_earlier_purge_is_counted(own: Own) -> None:
    purge(actor=SYSTEM, now=NOW)
    checkpointing.take(now=NOW)
    anchors = testimony.whole()
    assert verify(anchors).problem is None
    assert anchors[-1].count == AuditEvent.objects.count()
    other = replace(anchors[-1], count=(anchors[-1].count or 0) + 1)
    assert "but a checkpoint says 4" in (verify([*anchors[:-1], other]).problem or "")


def test_the_nightly_check_believes_signed_documents_and_no_rows(own: Own) -> None:
    """The chain written anew, and the rows that say what checkpoints have seen as well."""
    rewrite(own, f'UPDATE {EVENTS} SET details = \'{{"after": {{"n": 77}}}}\' WHERE seq = 3')
    own.do(
        f"UPDATE public.audit_anchor a SET hash = e.hash FROM {EVENTS} e"
        " WHERE a.schema_name = 't_alpha' AND a.seq = e.seq"
    )
    assert verify(testimony.rows()).problem is None
    checked = record_checking.check(now=NOW)
    assert "is not the one that a signed checkpoint names" in (checked.problem or "")
    standing = record_checking.standing(now=NOW)
    assert standing is not None and standing.problem == checked.problem  # the pages' mark follows it
    record_checking.look(now=NOW)
    standing = record_checking.standing(now=NOW)
    assert standing is not None and standing.problem == checked.problem
    own.restore()
    assert record_checking.check(now=NOW).problem is None
    own.do("UPDATE public.audit_checkpoint SET document = replace(document, '2026', '2025') WHERE number = 3")
    assert "is not signed by our key" in (record_checking.check(now=NOW).problem or "")


def test_the_nightly_check_of_the_platform_looks_at_the_newest_copy_outside(own: Own, settings: Any) -> None:
    settings.AUDIT_BUCKET = new_bucket()
    with enter_public():
        checkpointing.take(now=clock.of_database())
        checkpointing.store_waiting(now=NOW)
        assert record_checking.check(now=NOW).problem is None
        own.do(
            "DELETE FROM public.audit_anchor WHERE checkpoint_id = 4",
            "DELETE FROM public.audit_checkpoint WHERE number = 4",
        )
        said = "the store holds checkpoint 4, which is not here any more"
        assert record_checking.check(now=NOW).problem == said
        assert record_checking.to_be_told(now=NOW)
        assert record_checking.check(now=NOW).problem == said
        assert not record_checking.to_be_told(now=NOW)  # a problem that lasts is told once


def test_litter_outside_silences_no_nightly_check_and_a_store_away_wipes_no_finding(
    own: Own, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDIT_BUCKET = new_bucket()
    with enter_public():
        at = checkpointing.take(now=clock.of_database()).at
        checkpointing.store_waiting(now=NOW)
        s3 = boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL, region_name="us-east-1")
        s3.put_object(Bucket=settings.AUDIT_BUCKET, Key=f"{checkpoints.folder_of(at)}notes.txt", Body=b"x")
        said = "the store holds a checkpoint that our key has not signed"
        assert record_checking.check(now=NOW).problem == said
        away = S3Store(bucket=own.bucket, region="us-east-1", endpoint="http://127.0.0.1:9")
        monkeypatch.setattr(testimony, "outside_store", lambda: away)
        with pytest.raises(StoreUnavailable):
            record_checking.check(now=NOW)
        assert ChainCheck.objects.get().problem == said


@pytest.mark.parametrize("kind", ["no record", "wrong count", "too young", "clock back"])
def test_a_purge_that_is_none_is_found(own: Own, kind: str) -> None:
    feign_purge(own, AuditEvent.objects.get(seq=last() - 1), kind=kind)
    if kind == "clock back":
        own.do("UPDATE public.audit_anchor SET at = at - interval '3 years'")
    words = {
        "no record": "no record of a purge names it",
        "wrong count": "is not what event",
        "too young": "no checkpoint shows that it was old enough",
        "clock back": "are not those that it lists",
    }
    assert any(words[kind] in each for each in found(outside=False)), found(outside=False)


# Checkpoints and their store.


def test_each_checkpoint_names_the_last_and_no_order_or_time_can_be_feigned(own: Own) -> None:
    rows = taken()
    read = [checkpoints.read(row.document.encode()) for row in rows]
    assert [each.complete for each in read if each] == [True, True, True]
    assert [each.previous for each in read if each][1:] == [bytes(row.hash).hex() for row in rows[:-1]]
    assert checkpointing.take(now=CHECKPOINTS[0]).number == 3  # the clock went back: none is taken
    signer = signing.get_signer()
    document = checkpoints.compose(
        number=4, at=CHECKPOINTS[0], previous=bytes(rows[-1].hash).hex(), heads=[], complete=False,
        chains=0, key=signer.key_id, public_keys=signer.public_keys,
    )  # fmt: skip
    sequence = [Signed(row.document.encode(), bytes(row.signature)) for row in rows]
    said = checkpoints.problem_of(
        [*sequence, Signed(document, signer.sign(document))],
        keys=signer.public_keys, is_signed=signing.is_signed,
    )  # fmt: skip
    assert said == "checkpoint 4 is dated before the one before it"
    assert "public_keys" in rows[0].document


def test_checkpoints_or_copies_that_stop_are_heard_of(own: Own, settings: Any) -> None:
    settings.AUDIT_BUCKET, settings.ROOT_URLCONF = new_bucket(), "proecommerce.urls_public"
    with enter_public():
        at = CHECKPOINTS[2]
        assert checkpointing.late(now=at + timedelta(minutes=15)) is None
        assert "no checkpoint since 2026-11-22" in (checkpointing.late(now=NOW) or "")
        assert [alarm.text for alarm in alarms(now=NOW) if alarm.url.endswith("/audit/auditevent/")] == [
            checkpointing.late(now=NOW)
        ]
        assert "dated ahead" in (checkpointing.late(now=at - timedelta(days=1)) or "")
        for minutes in (0, 10, 20):
            checkpointing.take(now=NOW + timedelta(minutes=minutes))
        said = checkpointing.late(now=NOW + timedelta(minutes=20))
        assert said is not None and "no copy outside" in said
        checkpointing.store_waiting(now=NOW)
        assert checkpointing.late(now=NOW + timedelta(minutes=20)) is None


def test_a_workers_clock_that_is_a_day_ahead_dates_no_checkpoint(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2099, 1, 1, tzinfo=UTC))
    with enter_public():
        audit_jobs.take_checkpoint()
        assert abs(taken()[-1].at - clock.of_database()) < timedelta(minutes=1)


def test_without_a_bucket_only_a_demo_starts() -> None:
    def start(demo: str) -> str:
        run = subprocess.run(
            [sys.executable, "-c", "import proecommerce.settings"], cwd=ROOT, check=False, text=True,
            env=os.environ | {"DEMO": demo, "AUDIT_BUCKET": ""}, stderr=subprocess.PIPE, timeout=60,
        )  # fmt: skip
        return run.stderr

    assert "AUDIT_BUCKET is not set. docs/configuration.md" in start("0")
    assert start("1") == ""


def test_between_the_days_first_checkpoints_only_what_moved_is_listed(own: Own) -> None:
    checkpointing.take(now=NOW)
    add(NOW, n="moved")
    moved, quiet = (checkpointing.take(now=NOW + timedelta(minutes=late)) for late in (10, 20))
    with enter_public():
        assert set(moved.anchors.values_list("schema_name", flat=True)) == {"t_alpha"}
        assert quiet.anchors.count() == 0
    assert found(outside=False) == []


def test_after_a_checkpoint_that_does_not_say_what_is_money_all_is_listed_once(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "MONEY", ["other."])  # as an older version counted
    checkpointing.take(now=NOW)
    monkeypatch.undo()
    assert {head.money for head in checkpointing.latest()[-1].heads} == {None}
    after, quiet = (checkpointing.take(now=NOW + timedelta(minutes=late)) for late in (10, 20))
    assert '"complete":true' in after.document
    assert None not in {head.money for read in checkpointing.latest() for head in read.heads}
    with enter_public():
        assert quiet.anchors.count() == 0
    assert found(outside=False) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_checkpoint SET document = ''",
        "UPDATE audit_checkpoint SET stored_at = NULL",
        "DELETE FROM audit_checkpoint",
        "TRUNCATE audit_checkpoint CASCADE",
        "UPDATE audit_anchor SET seq = 1",
        "DELETE FROM audit_anchor",
        "DELETE FROM audit_auditevent",
        "DELETE FROM t_alpha.audit_auditevent",
    ],
)
def test_the_platform_itself_can_rewrite_none(own: Own, statement: str) -> None:
    refused = pytest.raises(DatabaseError, match=r"never changed|permission denied|append-only")
    with enter_public(), refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('audit.purging', 'x', true)")
        cursor.execute(statement)


def test_a_copy_outside_cannot_be_removed_by_anybody_for_seven_years(own: Own) -> None:
    s3 = boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL, region_name="us-east-1")
    version = s3.list_object_versions(Bucket=own.bucket)["Versions"][0]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(
            Bucket=own.bucket, Key=version["Key"], VersionId=version["VersionId"],
            BypassGovernanceRetention=True,
        )  # fmt: skip
    locked = {kept.locked_until for kept in checkpointing.outside_store().all_versions("checkpoints/")}
    assert {at.year for at in locked if at} == {2031, 2033}


def test_while_the_store_is_away_checkpoints_wait_and_follow_in_order(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpointing.take(now=NOW)
    away = S3Store(bucket=own.bucket, region="us-east-1", endpoint="http://127.0.0.1:9")
    monkeypatch.setattr(checkpointing, "outside_store", lambda: away)
    with pytest.raises(StoreUnavailable, match="AUDIT_BUCKET"):
        checkpointing.store_waiting(now=NOW)
    checkpointing.take(now=NOW + timedelta(minutes=10))
    assert [row.number for row in taken() if row.stored_at is None] == [4, 5]
    monkeypatch.undo()
    monkeypatch.setattr(settings, "AUDIT_BUCKET", new_bucket())
    assert checkpointing.store_waiting(now=NOW) == 2
    kept = [checkpoints.unpacked(each.body) for each in checkpointing.outside_store().all_versions("")]
    assert [each.hash for each in kept if each] == [bytes(row.hash) for row in taken()[3:]]


def test_the_command_tells_what_is_wrong_and_where(own: Own, capsys: Any) -> None:
    call_command("audit_verify")  # the store is read where there is one
    assert "store: whole\n" in (out := capsys.readouterr().out) and "t_alpha" not in out
    call_command("audit_verify", "--no-store")
    assert "store: not read\n" in capsys.readouterr().out
    own.do(f"UPDATE {EVENTS} SET actor_id = '2' WHERE seq = 3")
    with pytest.raises(SystemExit):
        call_command("audit_verify", "--tenant", "alpha")
    out = capsys.readouterr().out
    assert out == "checkpoints: whole\nstore: whole\nalpha: 2 events, event 3 was changed\n"


def test_the_command_needs_a_bucket_to_compare_with(own: Own, settings: Any) -> None:
    settings.AUDIT_BUCKET = ""
    with pytest.raises(CommandError, match="AUDIT_BUCKET"):
        call_command("audit_verify", "--store")


def test_after_a_restore_a_new_bucket_gets_what_is_missing_and_it_is_said_what_that_proves(
    own: Own, settings: Any, capsys: Any
) -> None:
    settings.AUDIT_BUCKET = new_bucket()
    with pytest.raises(SystemExit):
        call_command("audit_verify")
    assert "checkpoint 1 is not in the store any more" in capsys.readouterr().out
    call_command("audit_verify", "--put-missing")
    out = capsys.readouterr().out
    assert "store: 3 checkpoints put that were missing" in out and "whether somebody did before" in out
    assert "store: whole" in out
    call_command("audit_verify", "--put-missing")
    assert "store: 0 checkpoints put" in capsys.readouterr().out
