"""The tenants app's own jobs and plan; `tenants.jobs` is where everybody's are registered."""

from datetime import datetime
from uuid import UUID

from tenants import claiming, clock, proving, throttling
from tenants.context import current_tenant, enter_public
from tenants.jobs import job, planner
from tenants.models import HostProof


@job("tenants.look_for_proof", outside=True)
def look_for_proof(*, proof_id: str, looks: int) -> None:
    """Look once in the DNS and on the web server; the rule says what comes of it."""
    tenant = current_tenant()
    with enter_public():
        proof = HostProof.objects.filter(pk=UUID(proof_id), tenant=tenant).first()
    if proof is None or proof.state != HostProof.State.WAITING or proof.looks != looks:
        return
    method, problem = proving.look(proof.hostname, proof.token)
    claiming.settle(proof.pk, looks=looks, method=method, problem=problem, now=clock.now())


@planner
def forget_attempts(now: datetime) -> None:
    """Drop the counts of attempts that are too old to count."""
    throttling.purge(now=now)
