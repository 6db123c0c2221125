"""Retention, executed: who carries out each rule of `privacy.periods`, and one run over all of them.

A function that executes a rule is registered where its tables are known, with `executes`. A run calls all
of them in the schema entered; nothing of a subject under a legal hold goes (`privacy.holds`). Twice a day a
run comes by in each schema, so that nothing is kept a day longer than the policy says.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import holds, policy_queries, policy_tables
from privacy.inventory import Retention
from privacy.periods import PERIODS, Period
from tenants.context import current_schema, enter_public, in_public

log = logging.getLogger(__name__)

Scope = Literal["tenant", "platform"]

# What is kept until something happens, not for a time: what that is, in words.
UNTIL: Final[dict[Retention, str]] = {
    Retention.CONSENT: "never; its address goes when its person is erased (privacy.erasing)",
    Retention.STAFF: "the employment ends: the account is deactivated, and erased as a user is",
    Retention.INCIDENT: "never; the law asks for a register",
}


@dataclass(frozen=True, slots=True)
class Swept:
    """How many rows of a table went, or in a dry run would go; how many could not go though it was time."""

    table: str
    count: int
    failed: int = 0


class Execute(Protocol):
    """Deletes what is over by `now` in the schema entered, in transactions of its own; tells how much."""

    def __call__(self, *, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]: ...


@dataclass(frozen=True, slots=True)
class Executor:
    """Who executes a rule, in which kind of schema."""

    rule: Retention
    scope: Scope
    run: Execute


class SomeFailed(RuntimeError):
    """Executors of these rules failed; all the others have run."""


_executors: list[Executor] = []


def executes(rule: Retention, *, scope: Scope) -> Callable[[Execute], Execute]:
    """Register the decorated function to execute a rule in tenants' schemas or in the platform's own."""

    def register(run: Execute) -> Execute:
        _executors.append(Executor(rule, scope, run))
        return run

    return register


def executors(scope: Scope | None = None) -> Sequence[Executor]:
    """Return who executes rules, of one kind of schema or of both."""
    return [each for each in _executors if scope in (None, each.scope)]


def period_of(rule: Retention, now: datetime) -> Period:
    """Return the period that the policy in force tells people; the code's own where it tells of none.

    Code that was deployed keeps for another time only from the day on which the version that says so holds.
    """
    return periods(now)[rule]


def periods(now: datetime) -> dict[Retention, Period]:
    """Return the period of every rule, as `period_of` does, in one query."""
    with enter_public():
        facts = policy_queries.facts_in_force(now=now)
    return {rule: _told(facts, rule) for rule in PERIODS}


def _told(facts: dict[str, list[str]] | None, rule: Retention) -> Period:
    told = policy_tables.told_period(facts, rule) if facts else None
    return PERIODS[rule] if told is None else replace(PERIODS[rule], days=told[0], years=told[1])


def over_before(rule: Retention, now: datetime) -> datetime:
    """Return the instant before which what began under this rule has been kept long enough."""
    period = period_of(rule, now)
    if period.days is None and period.years is None and PERIODS[rule] != period:
        return datetime.min.replace(tzinfo=UTC)  # people are told that it stays
    return period.over_before(now)


def run(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Execute every rule in the schema entered; returns what went from where, or would go.

    What went is recorded. A rule or a subject that fails holds up no other; in the end it raises
    `SomeFailed`.
    """
    swept: list[Swept] = []
    failed: list[str] = []
    for each in () if holds.is_workspace_held() else executors("platform" if in_public() else "tenant"):
        try:
            found = each.run(now=now, dry_run=dry_run, actor=actor)
            swept += found
            failed += [each.rule.value] if any(one.failed for one in found) else []
        except Exception:
            log.exception("retention: %s failed in %s", each.rule, current_schema())
            failed.append(each.rule.value)
    total = _summed(swept)
    if not dry_run and any(each.count for each in total):
        gone = {each.table: each.count for each in total if each.count}
        with transaction.atomic():
            record(Action.RETENTION_RUN, subject=("retention", "rules"), actor=actor, now=now, gone=gone)
    if failed:
        raise SomeFailed(f"Retention failed for {', '.join(failed)}; the log has the errors.")
    return total


def _summed(swept: Sequence[Swept]) -> list[Swept]:
    """One line a table, in the order of their names."""
    counts: dict[str, int] = {}
    for each in swept:
        counts[each.table] = counts.get(each.table, 0) + each.count
    return [Swept(table, counts[table]) for table in sorted(counts)]
