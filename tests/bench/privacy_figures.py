"""What `bin/bench privacy` measures by itself, on workspaces of its own. Needs Django set up."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID
from wsgiref.simple_server import make_server

import pytest
from django.apps import apps
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from accounts.privacy_scope import of_user
from audit.actors import Actor
from audit.models import Checkpoint
from billing.running import run_invoices
from operations.keeping import keep_request_log
from operations.models import RequestLog
from privacy import consenting, incident_record, inventory, news, notifying
from privacy.marketing import Offer
from privacy.models import Incident, PolicyNotice
from proecommerce.drilling import DrillFailed, drill
from tenants import audit_jobs, checkpointing, clock
from tenants.context import enter, enter_public
from tenants.ids import new_id
from tenants.models import Job
from tenants.working import work_off
from tests.bench import audit, copies, invoices
from tests.privacy.copies import Copy, loaded
from tests.promises.telling import do_jobs, only, published, share
from tests.twins import make
from tests.website.test_incidents import Quiet, Server
from vault.files import opened

SYSTEM = Actor.system("bench")
DAY = timedelta(days=1)
REFUSED = (  # G31: what the app's role may not do to the record
    "UPDATE audit_auditevent SET details = '{}'", "DELETE FROM audit_auditevent",
    "TRUNCATE audit_auditevent CASCADE", "DROP TABLE audit_auditevent CASCADE",
    "ALTER TABLE audit_auditevent DISABLE TRIGGER ALL", "SET session_replication_role = replica",
)  # fmt: skip
WITHOUT = (
    "SELECT count(*), count(*) FILTER (WHERE e.id IS NULL) FROM billing_journalentry j"
    " LEFT JOIN audit_auditevent e ON e.id = j.audit_event_id"
)


@dataclass(frozen=True)
class Figure:
    """One line: the number of the goal, what is counted, what is asked, what was found, whether it holds."""

    number: str
    what: str
    asked: str
    found: str
    holds: bool


@dataclass(frozen=True)
class Sizes:
    """How much of each is made."""

    invoices: int
    events: int
    rows: int
    people: int


def figures(sizes: Sizes) -> Iterator[Figure]:
    """Measure one after the other."""
    yield from the_record(sizes)
    yield fields_classified()
    yield from copy_of(sizes.rows)
    yield from request_log()
    yield from breach(sizes.people)
    yield from notices_of_the_policy(50)
    yield from marketing(60)


def workspace(name: str) -> Any:
    return make(f"{name}{os.urandom(4).hex()}", name="Bench Hosting")


def the_record(sizes: Sizes) -> Iterator[Figure]:
    """G29 to G31 and G33: events of entries, checking, checkpoints, refusals, the price of recording."""
    with enter(workspace("ledger")):
        invoices.fill(sizes.invoices)
        run_invoices(actor=SYSTEM, now=invoices.NOW)
        with connection.cursor() as cursor:
            cursor.execute(WITHOUT)
            entries, without = cursor.fetchone()
        yield Figure(
            "G29",
            f"of {entries:,} entries of the ledger, those without an event",
            "0",
            f"{without}",
            without == 0 and entries >= sizes.invoices,
        )
    with enter(workspace("record")):
        audit.fill(sizes.events)
        rate = audit.verified(sizes.events)
        yield Figure(
            "G30",
            f"events verified a second, of {sizes.events:,}",
            ">= 100,000",
            f"{rate:,.0f}",
            rate >= audit.LEAST_VERIFIED,
        )
        yield checkpoints()
        refused = sum(bool(refusal(each)) for each in REFUSED)
        yield Figure(
            "G31",
            "statements against the record that the app's role is refused",
            "6 of 6",
            f"{refused} of {len(REFUSED)}",
            refused == len(REFUSED) == 6,
        )
        took, recorded, _ = audit.written()
        p99, speed = audit.p99_ms(recorded), len(took) / sum(took)
        yield Figure("G33", "recording a money action, p99", "<= 10 ms", f"{p99:.1f} ms", p99 <= 10)
        yield Figure(
            "G33", "actions recorded and committed a second", ">= 300", f"{speed:,.0f}", speed >= 300
        )


def checkpoints() -> Figure:
    """How far apart checkpoints are over a day of ticks, and how long one takes to be outside."""
    day, times = datetime(2030, 1, 1, tzinfo=UTC), []
    with enter_public():
        for minute in range(24 * 60):
            now = day + timedelta(minutes=minute)
            before = _asked()
            audit_jobs.plan_checkpoint(now)
            if _asked() > before:
                times.append(now)
        Job.objects.filter(name="tenants.take_checkpoint", key__startswith="checkpoint:2030-").delete()
    apart = max(after - before for before, after in pairwise(times))
    begun = time.monotonic()
    checkpointing.take(now=clock.wall())
    checkpointing.store_waiting(now=clock.wall())
    outside = timedelta(seconds=time.monotonic() - begun)
    with enter_public():
        waiting = Checkpoint.objects.filter(stored_at__isnull=True).count()
    oldest = apart + outside
    return Figure(
        "G30",
        "the oldest that the last checkpoint outside the host can be",
        "<= 15 min",
        f"{oldest.total_seconds() / 60:.1f} min",
        oldest <= timedelta(minutes=15) and not waiting,
    )


def _asked() -> int:
    return Job.objects.filter(name="tenants.take_checkpoint", key__startswith="checkpoint:2030-").count()


def refusal(statement: str) -> str:
    """What the database says against it; nothing when it would do it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return str(error)
    return ""


def fields_classified() -> Figure:
    """G42."""
    declared = {each.label: set(each.personal) | each.none for each in inventory.holdings()}
    fields = {
        (model._meta.label, field.name)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
    }
    known = {(label, name) for label, names in declared.items() for name in names}
    return Figure(
        "G42",
        "fields of models that are classified",
        f"{len(fields)} of {len(fields)}",
        f"{len(fields & known)} of {len(fields)}",
        fields == known,
    )


def copy_of(rows: int) -> Iterator[Figure]:
    """G43: as long as a hundred thousand rows may take ten minutes, so many may take their share."""
    most = copies.MOST_SECONDS * rows / copies.ROWS
    with TemporaryFile() as file:
        done = copies.measure(rows, file)
        file.seek(0)
        copy = Copy.of(b"".join(opened(file, done.key, context="bench")))
    yield Figure(
        "G43", f"a copy of {rows:,} rows", f"<= {most:.0f} s", f"{done.took:.1f} s", done.took <= most
    )
    copy.check()  # the CSV parses, and numbers and sums are those of the manifest
    with loaded(copy) as database:
        (there,) = database.execute("SELECT count(*) FROM accounts_customer").fetchone() or (0,)
    yield Figure(
        "G43",
        "rows parsed from the CSV, and loaded by its SQL into an empty database",
        f"{rows:,} and {rows:,}",
        f"{len(copy.rows('accounts_customer')):,} and {there:,}",
        len(copy.rows("accounts_customer")) == there == rows,
    )


def request_log() -> Iterator[Figure]:
    """G47: what was asked over the last sixty days, once the log has been kept."""
    now = datetime.now(UTC)
    with enter_public():
        made = [_request(now - timedelta(hours=hours)) for hours in range(0, 60 * 24, 2)]
        RequestLog.objects.bulk_create(made)
        keep_request_log(actor=SYSTEM, now=now)
        ages = [now - at for at in RequestLog.objects.values_list("at", flat=True)]
    older = sum(age > 30 * DAY for age in ages)
    yield Figure(
        "G47",
        f"requests older than 30 days, of {len(made)} over 60 days",
        "0",
        f"{older}; the oldest of {len(ages)} left is {max(ages) / DAY:.1f} days old",
        older == 0 and max(ages) > 27 * DAY,
    )


def _request(at: datetime) -> RequestLog:
    return RequestLog(
        id=new_id(),
        at=at,
        schema_name="",
        host="localhost",
        method="GET",
        path="/",
        status=200,
        duration_ms=1,
        ip="192.0.2.7",
        user_agent="bench",
        operator_id="",
        event="",
        account_mark="",
    )


def breach(people: int) -> Iterator[Figure]:
    """G48: the drill against a real server, with mails by SMTP."""
    said: list[str] = []
    begun = time.monotonic()
    with serving(), enter_public():
        try:
            incident = drill(people=people, say=said.append)
        except DrillFailed as failed:
            yield Figure("G48", f"breach drill with {people:,} people", "goes through", str(failed), False)
            return
    took = time.monotonic() - begun
    with enter_public():
        incident.refresh_from_db()
        told = incident.notices.filter(state="sent").count()
    yield Figure(
        "G48",
        f"breach drill with {people:,} people: mails, time from declaring to closing",
        f"{people:,}, <= 4 h",
        f"{told:,}, {took:.0f} s",
        told == people and took <= 4 * 3600,
    )
    (answered,) = (each for each in said if each.startswith("the site answered"))
    yield Figure("G48", "downtime meanwhile", "none", answered, " 0 of 0 " not in answered)
    yield from steps_of(incident)
    needed = notifying.hours_for(10_000)
    yield Figure("G48", "10,000 mails at the provider's cap", "<= 24 h", f"{needed:.1f} h", needed <= 24)


def steps_of(incident: Incident) -> Iterator[Figure]:
    """How long its steps took, and whether its record is whole."""
    with enter_public():
        rotations = list(incident.rotations.values_list("done_at", flat=True))
        lacking = incident_record.as_text(incident).count(incident_record.NOT_YET)
    asked, published_at = incident.rotation_asked_at, incident.published_at
    assert asked is not None and published_at is not None  # or the drill had failed
    done = [each for each in rotations if each is not None]
    last = max(done) - asked
    yield Figure(
        "G48",
        f"credentials rotated, of {len(rotations)}",
        f"{len(rotations)}, <= 8 h",
        f"{len(done)}, {last.total_seconds():.0f} s",
        len(done) == len(rotations) and last <= timedelta(hours=8),
    )
    public = published_at - incident.declared_at
    yield Figure(
        "G48",
        "until the public notice stands",
        "<= 1 h",
        f"{public.total_seconds():.1f} s",
        public <= timedelta(hours=1),
    )
    yield Figure("G48", "points of the record of Art. 33(3) that are empty", "0", f"{lacking}", lacking == 0)


@contextmanager
def serving() -> Iterator[None]:
    """The site, served on a port of its own."""
    server = make_server("127.0.0.1", 0, get_wsgi_application(), Server, Quiet)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "SITE_URL", f"http://localhost:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


def notices_of_the_policy(people: int) -> Iterator[Figure]:
    """G49: a substantial change is told to everybody of a workspace; each one's notice is on record."""
    tenant, now = workspace("policy"), clock.wall()
    only(tenant.slug)  # the others' people are not what is measured
    with enter(tenant):
        users = _people(people, now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "NOTICES_PER_HOUR", 100_000)
        share(patch)
        version = published("Measured.", SYSTEM, now, is_substantial=True)
        do_jobs("privacy.plan_policy_notices", "privacy.send_policy_notices")
    with enter(tenant):
        rows = PolicyNotice.objects.filter(version_id=version.pk, sent_at__isnull=False)
        missing = {str(user.pk) for user in users} - set(rows.values_list("subject_id", flat=True))
    with enter_public():
        said = refusal(
            "UPDATE privacy_policyversion SET announced_at = effective_at - interval '29 days'"
            f" WHERE number = {version.number}"
        )
    yield Figure(
        "G49", f"people without a notice on record, of {people}", "0", f"{len(missing)}", not missing
    )
    holds = "30_days_after_all_were_told" in said
    yield Figure(
        "G49",
        "in force 29 days after the last notice",
        "refused by the database",
        "refused" if holds else said or "TAKEN",
        holds,
    )


def _people(count: int, now: datetime) -> list[User]:
    """So many people of the workspace entered, at addresses that no other has."""
    domain = f"{os.urandom(6).hex()}.example"
    made = [
        User(id=new_id(), email=f"p{n}@{domain}", name=f"P {n}", role="contact", created_at=now, password="!")
        for n in range(count)
    ]
    User.objects.bulk_create(made)
    return made


def marketing(people: int) -> Iterator[Figure]:
    """G50: of all who agreed, a third withdraws after the news were ordered, and before they are mailed."""
    tenant, now = workspace("news"), clock.now()
    with enter(tenant):
        users = _people(people + 10, now)
        for user in users[:people]:
            consenting.give(of_user(user), how="privacy page", actor=SYSTEM, now=now)
        news.publish(Offer("News", "There are some."), asked_by="bench", actor=SYSTEM, now=now)
        slowest = 0.0
        for user in users[: people // 3]:
            begun = time.monotonic()
            consenting.withdraw(of_user(user), how="link in a mail", actor=SYSTEM, now=clock.now())
            assert not consenting.may_market(of_user(user))
            slowest = max(slowest, time.monotonic() - begun)
        _work_all(tenant.schema_name)
        may = {user.email for user in users if consenting.may_market(of_user(user))}
    mailed = _mailed_to(users[0].email.partition("@")[2])
    yield Figure(
        "G50",
        f"of {len(mailed)} marketing mails, those without a record of consent",
        "0",
        f"{len([each for each in mailed if each not in may])}",
        sorted(mailed) == sorted(may),
    )
    yield Figure(
        "G50",
        f"until a withdrawal holds, the slowest of {people // 3}",
        "<= 60 s",
        f"{slowest * 1e3:.0f} ms",
        slowest <= 60,
    )


def _work_all(schema: str) -> None:
    """Work off the tenant's jobs until none is due."""
    while True:
        now = clock.now() + timedelta(seconds=5)
        with enter_public():
            due = Job.objects.filter(schema_name=schema, state="waiting", run_at__lte=now)
            ids: list[UUID] = list(due.values_list("pk", flat=True))
        if not ids:
            return
        work_off(ids, now=now)


def _mailed_to(domain: str) -> list[str]:
    """To whom of this domain the mail server was given something."""
    files = (Path(os.environ["DEMO_DIR"]) / "mail").glob("*.eml")
    found = [str(message_from_bytes(file.read_bytes(), policy=policy.default)["To"]) for file in files]
    return [each for each in found if each.endswith(f"@{domain}")]
