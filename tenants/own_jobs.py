"""The tenants app's own jobs and plan; `tenants.jobs` is where everybody's are registered."""

from datetime import datetime
from uuid import UUID

from tenants import claiming, clock, proving, throttling, watching
from tenants.context import current_tenant, enter_public
from tenants.directory import home_host
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


@job(watching.JOB, outside=True)
def watch_hosts(**_: str) -> None:
    """Look whether the hosts of the tenant's own are still its."""
    tenant = current_tenant()
    home = home_host(tenant)
    for proof in watching.proven_of(tenant):
        found, problem = proving.look_again(proof.hostname, proof.token, home)
        watching.settle(proof.pk, found=found, problem=problem, now=clock.now())


@planner
def plan_watching(now: datetime) -> None:
    watching.plan(now)


@planner
def forget_attempts(now: datetime) -> None:
    """Drop the counts of attempts that are too old to count."""
    throttling.purge(now=now)
