"""No attack of the list is forgotten: each number is a test, or it is said why not."""

import re
from pathlib import Path

from tests.attacks import DOES_NOT_APPLY, FAMILIES


def test_each_number_is_a_test_or_does_not_apply() -> None:
    names = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    tried = set(re.findall(r"def test_([a-z]\d+)_", names))
    listed = {f"{family}{number}" for family, count in FAMILIES.items() for number in range(1, count + 1)}
    assert tried | set(DOES_NOT_APPLY) == listed
    assert not tried & set(DOES_NOT_APPLY)
    assert all(DOES_NOT_APPLY.values())
