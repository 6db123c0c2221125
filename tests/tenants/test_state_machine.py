"""However blocks nest, and however they end: Python's tenant and the server's role and path agree."""

import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing.models import NumberSeries
from tenants.context import current_schema, enter, enter_public, outside
from tenants.directory import tenant_of_slug
from tenants.errors import NoTenant
from tests.tenants.looking import PLATFORM, place, where, where_of

LOOK = "SELECT current_user, current_schema()"
Place = tuple[str, str] | None


class Undo(Exception):
    """Raised to leave a block with an error."""


class Nesting(RuleBasedStateMachine):
    """A stack of open blocks: tenants entered, transactions, savepoints; each may end well or badly."""

    def __init__(self) -> None:
        super().__init__()
        self.tenants = [tenant_of_slug("alpha"), tenant_of_slug("beta")]
        self.blocks: list[tuple[str, Any, Place]] = []  # kind, block, where one is inside it
        self.kept: Any = None
        self.promised: list[tuple[Place, Place]] = []

    def expected(self) -> Place:
        return self.blocks[-1][2] if self.blocks else None

    def begin(self, kind: str, block: Any, there: Place) -> None:
        block.__enter__()
        self.blocks.append((kind, block, there))

    def end(self, error: Exception | None = None) -> str:
        kind, block, _ = self.blocks.pop()
        try:
            block.__exit__(type(error) if error else None, error, None)
        except Undo:
            assert error is not None
        return kind

    # Going in.

    @precondition(lambda self: len(self.blocks) < 8)
    @rule(which=st.integers(0, 1), looks=st.booleans())
    def enter_a_tenant(self, which: int, looks: bool) -> None:
        self.begin("enter", enter(self.tenants[which]), place(self.tenants[which]))
        if looks:
            where()

    @precondition(lambda self: len(self.blocks) < 8)
    @rule()
    def enter_the_platform(self) -> None:
        self.begin("enter", enter_public(), PLATFORM)

    @precondition(lambda self: len(self.blocks) < 8)
    @rule()
    def step_outside(self) -> None:
        self.begin("outside", outside(), None)

    @precondition(lambda self: len(self.blocks) < 8)
    @rule(durable=st.booleans())
    def begin_a_transaction(self, durable: bool) -> None:
        block = transaction.atomic(durable=durable and not connection.in_atomic_block)
        self.begin("atomic", block, self.expected())

    # Coming out.

    @precondition(lambda self: self.blocks)
    @rule()
    def leave(self) -> None:
        self.end()

    @precondition(lambda self: self.blocks)
    @rule(depth=st.integers(1, 3))
    def leave_with_an_error(self, depth: int) -> None:
        for _ in range(min(depth, len(self.blocks))):
            self.end(Undo())

    @precondition(lambda self: self.expected() and connection.in_atomic_block)
    @rule()
    def a_statement_fails(self) -> None:
        """And takes with it all that was begun since the last savepoint."""
        with connection.cursor() as cursor, pytest.raises(DatabaseError):
            cursor.execute("SELECT 1 / 0")
        while self.end(Undo()) != "atomic":
            pass

    # What else happens inside.

    @precondition(lambda self: self.expected() not in (None, PLATFORM))
    @rule(number=st.integers(1, 10**6))
    def write(self, number: int) -> None:
        schema = current_schema()
        with transaction.atomic():
            NumberSeries.objects.update_or_create(key=f"nest-{schema}", defaults={"last": number})
            assert set(
                NumberSeries.objects.filter(key__startswith="nest-").values_list("key", flat=True)
            ) == {f"nest-{schema}"}

    @precondition(lambda self: self.expected())
    @rule()
    def keep_a_cursor(self) -> None:
        self.kept = connection.cursor()
        self.kept.execute(LOOK)

    @precondition(lambda self: self.kept)
    @rule()
    def use_the_kept_cursor(self) -> None:
        if self.expected() is None:
            with pytest.raises(NoTenant):
                self.kept.execute(LOOK)
        else:
            self.kept.execute(LOOK)
            assert where_of(self.kept.fetchone()) == self.expected()

    @precondition(lambda self: connection.in_atomic_block)
    @rule()
    def promise_for_the_commit(self) -> None:
        there = self.expected()

        def look() -> None:
            try:
                self.promised.append((there, where()))
            except NoTenant:
                self.promised.append((there, None))

        transaction.on_commit(look)

    @precondition(lambda self: not connection.in_atomic_block)
    @rule()
    def give_the_connection_back(self) -> None:
        self.kept = None
        connection.close()

    @rule()
    def look_from_a_thread(self) -> None:
        found: list[Any] = []

        def work() -> None:
            try:
                found.append(where())
            except NoTenant:
                found.append(None)
            finally:
                connection.close()

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(10)
        assert found == [None]

    # What must be so after each step.

    @invariant()
    def python_and_the_server_agree(self) -> None:
        if self.expected() is None:
            for look in (where, current_schema):
                with pytest.raises(NoTenant):
                    look()
        else:
            assert where() == self.expected()
            assert current_schema() == self.expected()[1]  # type: ignore[index]

    @invariant()
    def what_was_promised_ran_where_it_was_asked_for(self) -> None:
        assert all(asked == found for asked, found in self.promised)

    def teardown(self) -> None:
        while self.blocks:
            self.end(Undo())
        connection.close()


def walk(examples: int) -> None:
    run_state_machine_as_test(
        Nesting,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_server_follows_through_any_nesting(committed: None) -> None:
    walk(25)


@pytest.mark.long
def test_the_server_follows_through_ten_thousand_steps(committed: None) -> None:
    walk(250)
