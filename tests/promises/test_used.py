"""What it is used for: U3 and U7."""

from typing import Any

import pytest
from django.utils.html import escape

from audit.models import AuditEvent
from audit.reading import opened
from audit.verifying import verify
from privacy import inventory, policy_tables, policy_text
from privacy.inventory import Basis, Erasure, Purpose
from tests.accounts.conftest import log_in

WRONG = "not the password at all"


def test_u3_abuse_is_seen_slowed_down_and_on_a_trail(
    tenant: Any, browser: Any, people: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A robot guesses: it is told to wait, the guard's log has its address, the audit trail has every try."""
    people()
    answers = [log_in(browser(REMOTE_ADDR="192.0.2.66"), password=WRONG) for _ in range(11)]
    assert [each.status_code for each in answers] == [422] * 10 + [429]
    assert int(answers[-1]["Retry-After"]) > 0
    lines = [each.getMessage() for each in caplog.records if each.name == "proecommerce.security"]
    assert [line.split()[0] for line in lines] == ["event=login_failed"] * 10 + ["event=limit_hit"]
    assert all("ip=192.0.2.66" in line for line in lines)
    failed = opened(AuditEvent.objects.filter(action="user.login_failed"))
    assert len(failed) >= 10 and {each.ip for each in failed} == {"192.0.2.66"}
    assert verify().problem is None


def test_u7_each_use_rests_on_one_legal_basis() -> None:
    """Of every field, and as the policy tells it; consent is what marketing rests on, and it alone."""
    used = 0
    for holding in inventory.holdings():
        for name, data in holding.personal.items():
            where = f"{holding.label}.{name}"
            assert isinstance(data.basis, Basis) and data.purposes, where
            assert (data.basis is Basis.CONSENT) == (Purpose.MARKETING in data.purposes), where
            if data.erasure is Erasure.KEPT:
                assert data.basis in {Basis.LEGAL_OBLIGATION, Basis.LEGITIMATE_INTEREST}, where
            used += 1
    assert used > 100
    html = policy_text.present().html
    for row in policy_tables.collected(inventory.holdings()):
        for use in row.uses:
            purpose, _, bases = use.partition(": ")
            assert set(bases.split("; ")) <= {each.value for each in Basis} and purpose
            assert escape(use) in html
