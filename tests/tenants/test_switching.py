"""The server is where Python says: after switches, savepoints, rollbacks, failures, on kept cursors."""

# ruff: noqa: PT012 - what must be undone is undone by raising

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.models import NumberSeries
from tenants.context import enter, enter_public, outside
from tenants.directory import tenant_of_slug
from tenants.errors import NoTenant
from tenants.models import Tenant
from tests.tenants.looking import PLATFORM, place, where, where_of

pytestmark = pytest.mark.usefixtures("committed")


class Undo(Exception):
    """Raised to roll a block back."""


@pytest.fixture
def alpha(committed: None) -> Tenant:
    return tenant_of_slug("alpha")


@pytest.fixture
def beta(committed: None) -> Tenant:
    return tenant_of_slug("beta")


@contextmanager
def round_trips() -> Iterator[list[str]]:
    """Collect what goes over the wire, by libpq's own trace: one `ReadyForQuery` a round trip."""
    pgconn = cast(Any, connection).connection.pgconn
    with tempfile.TemporaryFile("w+") as file:
        lines: list[str] = []
        pgconn.trace(file.fileno())
        try:
            yield lines
        finally:
            pgconn.untrace()
        file.seek(0)
        lines += [line for line in file if "ReadyForQuery" in line]


def test_role_and_path_are_set_together_in_one_round_trip(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha):
        where()
    with enter(beta), round_trips() as first:
        where()
    assert len(first) == 2  # the switch, the query
    with enter(beta), round_trips() as second:
        where()
        where()
    assert len(second) == 2


def test_entering_alone_costs_nothing(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha):
        where()
        with round_trips() as trips, enter(beta), enter_public():
            pass
        assert where() == place(alpha)
    assert trips == []


def test_role_never_comes_without_its_path(alpha: Tenant, beta: Tenant) -> None:
    for tenant in (alpha, beta, alpha):
        with enter(tenant), connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_user, current_schema(), current_setting('search_path'), session_user"
            )
            assert cursor.fetchone() == (
                tenant.schema_name,
                tenant.schema_name,
                f"{tenant.schema_name}, public",
                "proe_app",
            )


def test_nested_switches_come_back(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha):
        assert where() == place(alpha)
        with enter(beta):
            assert where() == place(beta)
            with enter_public():
                assert where() == PLATFORM
            assert where() == place(beta)
        assert where() == place(alpha)


def test_a_switch_inside_a_savepoint_that_rolls_back_is_not_believed(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha), transaction.atomic():
        where()
        with pytest.raises(Undo), transaction.atomic(), enter(beta):
            assert where() == place(beta)
            raise Undo
        assert where() == place(alpha)
    with enter(alpha), transaction.atomic():
        where()
        with enter(beta):
            with pytest.raises(Undo), transaction.atomic():
                assert where() == place(beta)
                raise Undo
            assert where() == place(beta)


def test_a_tenant_entered_before_the_savepoint_stays_after_its_rollback(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha), transaction.atomic():
        where()
        sid = transaction.savepoint()
        with enter(beta):
            where()
            transaction.savepoint_rollback(sid)
            assert where() == place(beta)
        transaction.savepoint_commit(sid)
        assert where() == place(alpha)


def test_a_switch_in_a_transaction_that_rolls_back_is_not_believed(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha):
        where()
    with enter(beta):
        with pytest.raises(Undo), transaction.atomic():
            assert where() == place(beta)
            raise Undo
        assert where() == place(beta)
    with enter(alpha):
        assert where() == place(alpha)


def test_a_switch_in_a_transaction_whose_commit_fails_is_not_believed(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha):
        where()
    with enter(beta):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            # A deferred foreign key: nothing is wrong before the commit.
            cursor.execute(
                "INSERT INTO accounts_contact (id, created_at, customer_id, user_id)"
                " VALUES (gen_random_uuid(), now(), gen_random_uuid(), gen_random_uuid())"
            )
        assert where() == place(beta)


def test_the_commit_of_a_failed_transaction_is_a_rollback(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha):
        where()
    with enter(beta):
        with transaction.atomic():
            assert where() == place(beta)
            with connection.cursor() as cursor, pytest.raises(DatabaseError):
                cursor.execute("SELECT 1 / 0")
        assert where() == place(beta)
        NumberSeries.objects.count()


def test_nothing_but_an_error_comes_out_of_a_failed_transaction(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha), transaction.atomic():
        with connection.cursor() as cursor, pytest.raises(DatabaseError):
            cursor.execute("SELECT 1 / 0")
        with enter(beta), pytest.raises(DatabaseError, match="aborted"):
            where()


def test_a_cursor_kept_across_a_switch_follows(alpha: Tenant, beta: Tenant) -> None:
    query = "SELECT current_user, current_schema()"
    with enter(alpha):
        kept = connection.cursor()
        kept.execute(query)
    with enter(beta):
        kept.execute(query)
        assert where_of(kept.fetchone()) == place(beta)
        kept.executemany("SELECT set_config('a.b', current_user, false) WHERE %s", [(True,)])
        kept.execute("SELECT current_setting('a.b')")
        assert kept.fetchone() == (beta.schema_name,)
    with pytest.raises(NoTenant):
        kept.execute(query)


@pytest.mark.parametrize("debugged", [False, True])
def test_copy_on_a_kept_cursor_follows(alpha: Tenant, beta: Tenant, debugged: bool) -> None:
    cast(Any, connection).force_debug_cursor = debugged
    try:
        with enter(alpha):
            kept = cast(Any, connection.cursor())
            kept.execute("SELECT 1")
        with enter(beta), kept.copy("COPY (SELECT current_user, current_schema()) TO STDOUT") as copy:
            assert b"".join(copy).decode() == f"{beta.schema_name}\t{beta.schema_name}\n"
        with pytest.raises(NoTenant), kept.copy("COPY (SELECT 1) TO STDOUT"):
            pass
    finally:
        cast(Any, connection).force_debug_cursor = False


def test_streams_and_procedures_on_a_kept_cursor_follow(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha):
        kept = cast(Any, connection.cursor())
        kept.execute("SELECT 1")
    with enter(beta):
        assert [where_of(row) for row in kept.stream("SELECT current_user, current_schema()")] == [
            place(beta)
        ]
        kept.callproc("current_schema")
        assert kept.fetchone() == (beta.schema_name,)
    with pytest.raises(NoTenant):
        kept.callproc("now")


def test_copy_writes_into_the_tenant_entered(alpha: Tenant, beta: Tenant) -> None:
    with pytest.raises(Undo), transaction.atomic(), enter(beta), connection.cursor() as cursor:
        with cursor.copy("COPY billing_numberseries (key, last) FROM STDIN") as copy:
            copy.write_row(("copied", 7))
        assert NumberSeries.objects.get(key="copied").last == 7
        with enter(alpha):
            assert not NumberSeries.objects.filter(key="copied").exists()
        raise Undo


def test_a_server_side_cursor_reads_to_its_end_where_it_began(alpha: Tenant, beta: Tenant) -> None:
    with pytest.raises(Undo), transaction.atomic():
        for tenant in (alpha, beta):
            with enter(tenant):
                NumberSeries.objects.bulk_create(
                    NumberSeries(key=f"{tenant.slug}-{n}", last=n) for n in range(300)
                )
        with enter(alpha):
            ours = NumberSeries.objects.filter(key__regex="^(alpha|beta)-").order_by("last")
            rows = ours.iterator(chunk_size=50)
            first = next(rows)
            with enter(beta):
                second = next(rows)
                inside = NumberSeries.objects.filter(key__regex="^(alpha|beta)-").order_by("last")
                others = [row.key for row in inside.iterator(chunk_size=7)][:3]
            rest = list(rows)
        keys = [first.key, second.key, *(row.key for row in rest)]
        assert keys == [f"alpha-{n}" for n in range(300)]
        assert all(key.startswith("beta-") for key in others)
        raise Undo


def test_outside_a_transaction_a_server_side_cursor_works_too(alpha: Tenant) -> None:
    with enter(alpha):
        assert list(NumberSeries.objects.iterator(chunk_size=2)) == list(NumberSeries.objects.all())


def test_a_connection_that_was_given_back_starts_anew(alpha: Tenant, beta: Tenant) -> None:
    with enter(alpha):
        where()
        connection.close()
        assert where() == place(alpha)
        connection.close()
    with enter(beta):
        assert where() == place(beta)
        connection.close()
    with pytest.raises(NoTenant):
        where()


def test_a_connection_that_the_server_ended_fails_and_then_starts_anew(alpha: Tenant) -> None:
    with enter(alpha):
        with connection.cursor() as cursor, pytest.raises(DatabaseError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close_if_unusable_or_obsolete()
        assert where() == place(alpha)


def test_after_a_real_commit_what_waited_runs_in_its_tenant(alpha: Tenant) -> None:
    seen: list[Any] = []
    with enter_public():
        with transaction.atomic(), enter(alpha):
            transaction.on_commit(lambda: seen.append(where()))
        assert where() == PLATFORM
    assert seen == [place(alpha)]


class Wanderer:
    """Nests switches, transactions, savepoints, rollbacks and failures at random; looks after each step."""

    def __init__(self, tenants: list[Tenant], seed: int) -> None:
        self.tenants, self.random = tenants, random.Random(seed)
        self.inside: tuple[str, str] | None = None
        self.steps = 0
        self.doomed = False

    def wander(self, depth: int, until: int) -> None:
        for _ in range(self.random.randint(2, 7)):
            if self.steps >= until:
                return
            self.steps += 1
            actions = [self.tenant, self.tenant, self.public, self.nowhere, self.savepoint, self.undone]
            actions += [self.failing, self.swallowed, self.by_hand, self.closing]
            if depth < 7:
                self.random.choice(actions)(depth + 1, until)
            self.look()

    def look(self) -> None:
        if self.doomed:
            return
        if self.inside is None:
            with pytest.raises(NoTenant):
                where()
        else:
            assert where() == self.inside, self.steps

    @contextmanager
    def expecting(self, inside: tuple[str, str] | None) -> Iterator[None]:
        before, self.inside = self.inside, inside
        try:
            yield
        finally:
            self.inside = before

    def tenant(self, depth: int, until: int) -> None:
        tenant = self.random.choice(self.tenants)
        with enter(tenant), self.expecting(place(tenant)):
            if self.random.random() < 0.7:
                self.look()
            self.wander(depth, until)

    def public(self, depth: int, until: int) -> None:
        with enter_public(), self.expecting(PLATFORM):
            self.wander(depth, until)

    def nowhere(self, depth: int, until: int) -> None:
        with outside(), self.expecting(None):
            self.wander(depth, until)

    def savepoint(self, depth: int, until: int) -> None:
        with transaction.atomic():
            self.wander(depth, until)

    def undone(self, depth: int, until: int) -> None:
        with pytest.raises(Undo), transaction.atomic():
            self.wander(depth, until)
            raise Undo

    def failing(self, depth: int, until: int) -> None:
        """A statement fails and takes its block with it."""
        if self.inside is None or self.doomed:
            return
        with pytest.raises(DatabaseError), transaction.atomic():
            self.wander(depth, until)
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")

    def swallowed(self, depth: int, until: int) -> None:
        """A statement fails, the error is swallowed, and the failed transaction is committed."""
        if self.inside is None or connection.in_atomic_block:
            return
        with transaction.atomic():
            self.wander(depth, until)
            with connection.cursor() as cursor, pytest.raises(DatabaseError):
                cursor.execute("SELECT 1 / 0")
            self.doomed = True
        self.doomed = False

    def by_hand(self, depth: int, until: int) -> None:
        if not connection.in_atomic_block or self.doomed:
            return
        sid = transaction.savepoint()
        self.wander(depth, until)
        if self.random.random() < 0.5:
            transaction.savepoint_rollback(sid)
        else:
            transaction.savepoint_commit(sid)

    def closing(self, depth: int, until: int) -> None:
        if not connection.in_atomic_block:
            connection.close()


@pytest.mark.parametrize("seed", range(6))
def test_python_and_the_server_agree_through_a_long_random_walk(
    alpha: Tenant, beta: Tenant, seed: int
) -> None:
    wanderer = Wanderer([alpha, beta], seed)
    while wanderer.steps < 500:
        wanderer.wander(0, 500)
    assert wanderer.steps == 500


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_python_and_the_server_agree_through_longer_walks(alpha: Tenant, beta: Tenant, seed: int) -> None:
    wanderer = Wanderer([alpha, beta], seed)
    while wanderer.steps < 5000:
        wanderer.wander(0, 5000)
