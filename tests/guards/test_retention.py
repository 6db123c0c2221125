"""Each rule that a field of the inventory is kept by is executed by somebody, or ends with something said."""

from privacy import inventory, retention
from privacy.inventory import Retention


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
