"""A tenant that was dropped lawfully is on the platform's record; one that vanished is missed."""

from contextlib import suppress
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from audit.actions import Action
from audit.models import AuditEvent, Checkpoint
from audit.recording import record
from privacy import ending
from tenants import checkpointing, testimony
from tenants.context import enter_public
from tenants.models import Tenant
from tests.audit.alphas import SYSTEM
from tests.audit.own_database import Own
from tests.conftest import NOW
from tests.twins import make


def _rehearsal(slug: str) -> Tenant:
    """A rehearsal whose chain a checkpoint has seen."""
    made: Tenant = make(slug, name="Trial", is_rehearsal=True)
    with enter_public():
        last = Checkpoint.objects.latest("number").at
    checkpointing.take(now=last + timedelta(seconds=1))
    return made


def _said() -> str:
    out = StringIO()
    with suppress(SystemExit):
        call_command("audit_verify", stdout=out)
    return out.getvalue()


def test_a_tenant_that_was_dropped_lawfully_is_not_missed_and_one_that_vanished_is(own: Own) -> None:
    dropped = _rehearsal("trial-one")
    ending.drop(dropped, because="a test", actor=SYSTEM, now=NOW)
    assert testimony.lost_chains() == []
    assert "trial" not in _said() and "gone" not in _said()
    with enter_public():
        event = AuditEvent.objects.get(action="tenant.dropped")
        assert event.details["schema"] == "t_trial_one" and event.details["count"] == 1
    again = _rehearsal("trial-one")
    assert again.schema_name == "t_trial_one__2", "no chain takes the place of one that is on record"
    _vanish(own, again)  # as an attacker drops it
    assert testimony.lost_chains() == ["t_trial_one__2"]
    assert "t_trial_one__2: checkpoints have seen this chain, and it is gone" in _said()


def _vanish(own: Own, tenant: Tenant) -> None:
    own.do(
        f"DROP SCHEMA {tenant.schema_name} CASCADE",
        f"DELETE FROM public.tenants_host WHERE tenant_id = '{tenant.pk}'",
        f"DELETE FROM public.tenants_tenant WHERE id = '{tenant.pk}'",
    )


@pytest.mark.parametrize(("count", "digest"), [(0, ""), (1, "00" * 32)])
def test_a_drop_that_was_recorded_with_another_end_is_refused_and_does_not_explain_one(
    own: Own, count: int, digest: str
) -> None:
    tenant = _rehearsal(f"trial-{'two' if count else 'three'}")
    with enter_public(), transaction.atomic():
        event = record(
            Action.TENANT_DROPPED, subject=("tenant", tenant.pk), actor=SYSTEM, now=NOW,
            schema=tenant.schema_name, count=count, hash=digest,
        )  # fmt: skip
    refused = pytest.raises(DatabaseError, match="no event of the platform records")
    with refused, enter_public(), connection.cursor() as cursor:
        cursor.execute("SELECT drop_tenant(%s, %s)", [tenant.pk, event])
    _vanish(own, tenant)
    assert testimony.lost_chains() == [tenant.schema_name]
