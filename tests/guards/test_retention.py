"""Each rule that a field of the inventory is kept by is executed by somebody, or ends with something said."""

from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db.models import CASCADE, ForeignKey

from privacy import inventory, planning, retention
from privacy.inventory import Retention
from tenants import clock
from tenants.context import enter, enter_public


def test_every_rule_in_use_has_an_executor_or_says_what_ends_it() -> None:
    used = {data.retention for holding in inventory.holdings() for data in holding.personal.values()}
    executed = {each.rule for each in retention.executors()}
    assert used - executed - set(retention.UNTIL) == set(), "privacy.retention.executes"
    assert executed & set(retention.UNTIL) == set(), "a rule with an executor ends by time"


def test_what_both_kinds_of_schema_hold_is_executed_in_both() -> None:
    """Accounts' and privacy's tables are in the platform's own schema too."""
    both = {
        data.retention
        for holding in inventory.holdings()
        for data in holding.personal.values()
        if holding.label.partition(".")[0] == "accounts"
    }
    timed = both - set(retention.UNTIL) - {Retention.ACCOUNT, Retention.BILLING}
    for scope in ("tenant", "platform"):
        assert timed <= {each.rule for each in retention.executors() if each.scope == scope}


WHOLE = {Retention.ACCOUNT, Retention.BILLING}  # what goes with its account, by erasure and by functions


@pytest.mark.parametrize("scope", ["tenant", "platform"])
def test_every_table_in_a_schema_is_swept_by_each_rule_that_its_fields_are_under(
    scope: Any, tenant: Any, actor: Any
) -> None:
    """That a rule has an executor is not enough: the executor must look into this table."""
    place: AbstractContextManager[None] = enter_public() if scope == "platform" else enter(tenant)
    with place:
        now = clock.wall()
        swept = {
            (each.rule, went.table.partition(".")[0])
            for each in retention.executors(scope)
            for went in each.run(now=now, dry_run=True, actor=actor)
        }
        missed = {
            (rule, holding.label)
            for holding in inventory.holdings()
            if planning.is_here(holding)
            for rule in {data.retention for data in holding.personal.values()} - set(retention.UNTIL) - WHOLE
            if not any((rule, table) in swept for table in _it_goes_with(holding.model))
        }
    assert missed == set()


def _it_goes_with(model: Any) -> set[str]:
    """Its own table, and those of the rows that take its rows along."""
    fields: list[Any] = [each for each in model._meta.concrete_fields if isinstance(each, ForeignKey)]
    parents = {each.related_model._meta.db_table for each in fields if each.remote_field.on_delete is CASCADE}
    return {model._meta.db_table, *parents}
