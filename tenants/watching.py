"""Whether proven hosts are still their tenants': looked at daily, told when not, never cut off.

A name whose domain was let go could be led here by somebody else. To take it out is for an owner: a record
that somebody broke by mistake must not end a business.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from audit.actions import Action
from audit.recording import record
from tenants.claiming import BY_SYSTEM
from tenants.context import current_tenant, enter, enter_public
from tenants.jobs import Asked, enqueue, enqueue_many
from tenants.models import HostProof, Job, Tenant

JOB = "tenants.watch_hosts"
MAIL = "accounts.tell_of_host"
TOLD_AFTER = timedelta(days=3)
SPREAD_SECONDS = 10_800


def proven_of(tenant: Tenant) -> list[HostProof]:
    """Return the proofs of the tenant's own hosts that stand."""
    with enter_public():
        return list(HostProof.objects.filter(tenant=tenant, state=HostProof.State.PROVEN))


def plan(now: datetime) -> None:
    """Ask once a day for a look at the hosts of each tenant that has some; in the shared schema."""
    key = f"watch_hosts:{now.date().isoformat()}"
    asked = Job.objects.filter(schema_name=OuterRef("schema_name"), key=key)
    proven = HostProof.objects.filter(
        ~Exists(asked), state=HostProof.State.PROVEN, tenant__is_rehearsal=False
    )
    for schema, number in proven.values_list("schema_name", "tenant_id").distinct():
        at = now + timedelta(seconds=number.int % SPREAD_SECONDS)
        enqueue_many([Asked(JOB, run_at=at, key=key)], schema=schema)


def settle(proof_id: UUID, *, found: str, problem: str, now: datetime) -> None:
    """Take in what a look has `found` ("": nothing). After three days of that the owners are told, once."""
    tenant = current_tenant()
    with enter_public(), transaction.atomic():
        Tenant.objects.select_for_update(of=("self",), no_key=True).get(pk=tenant.pk)
        proofs = HostProof.objects.select_for_update(of=("self",), no_key=True)
        proof = proofs.filter(pk=proof_id, tenant=tenant, state=HostProof.State.PROVEN).first()
        if proof is None:
            return
        proof.looked_at, proof.problem = now, "" if found else problem[:300]
        proof.missing_since = None if found else proof.missing_since or now
        told, late = proof.told_at is not None, now - (proof.missing_since or now) >= TOLD_AFTER
        proof.told_at = None if found else proof.told_at or (now if late else None)
        proof.save(update_fields=["looked_at", "problem", "missing_since", "told_at"])
        with enter(tenant):
            if found and told:
                _note(Action.HOST_PROVEN, proof, now=now, method=found)
            elif proof.told_at is not None and not told:
                _note(Action.HOST_UNPROVEN, proof, now=now, problem=proof.problem)
                enqueue(MAIL, hostname=proof.hostname, problem=proof.problem)


def _note(action: Action, proof: HostProof, *, now: datetime, **more: str) -> None:
    record(action, subject=("host", proof.hostname), actor=BY_SYSTEM, now=now, **more)  # type: ignore[arg-type]
