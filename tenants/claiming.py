"""Hostnames of tenants' own: claimed, looked for in DNS or on a web server, then a `Host`; given up again.

A claim gives nothing: only where the proof's random token was seen there comes a host, and the first to show
it has the name. While a host stands, its name is closed to everybody else.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.context import current_tenant, enter, enter_public
from tenants.errors import HostRefused, HostUnknown
from tenants.hostnames import hostname_of, is_within
from tenants.jobs import enqueue
from tenants.models import Host, HostProof, Tenant

JOB = "tenants.look_for_proof"
MOST_CLAIMS = 20
TXT_LABEL = "_proecommerce"
FILE_PATH = "/.well-known/proecommerce.txt"
# Minutes from one look to the next: about three days in all, then the owner has to ask again.
WAITS = (1, 2, 5, 10, 20, 30, 60, 60, 120, 240, 480, 480, 720, 720, 720, 720)
BY_SYSTEM = Actor.system("host check")


def hosts_of(tenant: Tenant) -> list[Host]:
    """Return the tenant's hosts, the primary one first."""
    with enter_public():
        return list(Host.objects.filter(tenant=tenant).order_by("-is_primary", "hostname"))


def claims_of(tenant: Tenant) -> list[HostProof]:
    """Return the names that the tenant claims and has not proven yet, the latest first."""
    with enter_public():
        return list(_open_claims(tenant).order_by("-created_at"))


def claim(text: str, *, actor: Actor, now: datetime) -> HostProof:
    """Claim a hostname for the tenant entered and begin to look for its proof; raises `HostRefused`."""
    tenant = current_tenant()
    name = _may_be_claimed(text, tenant)
    with enter_public(), transaction.atomic():
        _lock(tenant)
        if _open_claims(tenant).count() >= MOST_CLAIMS:
            raise HostRefused(f"{MOST_CLAIMS} names wait for their proof. Take one of them out first.")
        proof, made = HostProof.objects.get_or_create(
            tenant=tenant,
            hostname=name,
            defaults={
                "schema_name": tenant.schema_name,
                "token": secrets.token_urlsafe(32),
                "created_at": now,
                "asked_at": now,
            },
        )
        if not made:
            raise HostRefused(f"{name} is on your list already.")
        _tell(tenant, Action.HOST_CLAIMED, name, actor=actor, now=now)
        _look_at(proof, tenant, now)
    return proof


def look_again(proof_id: UUID, *, actor: Actor, now: datetime) -> HostProof:
    """Look for the proof at once and go on for three days; raises `HostRefused`, `HostUnknown`."""
    tenant = current_tenant()
    with enter_public(), transaction.atomic():
        proof = _locked_claim(tenant, proof_id)
        _may_be_claimed(proof.hostname, tenant)
        proof.state, proof.looks, proof.asked_at, proof.problem = HostProof.State.WAITING, 0, now, ""
        proof.save(update_fields=["state", "looks", "asked_at", "problem"])
        _look_at(proof, tenant, now)
    return proof


def withdraw(proof_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Give up a claim that is not proven; raises `HostUnknown`."""
    tenant = current_tenant()
    with enter_public(), transaction.atomic():
        proof = _locked_claim(tenant, proof_id)
        proof.delete()
        _tell(tenant, Action.HOST_CLAIM_WITHDRAWN, proof.hostname, actor=actor, now=now)


def settle(proof_id: UUID, *, looks: int, method: str, problem: str, now: datetime) -> None:
    """Take in what a look has found: make the host, or look again later; a claim that moved on stays."""
    tenant = current_tenant()
    with enter_public(), transaction.atomic():
        _lock(tenant)
        claims = _open_claims(tenant).select_for_update(of=("self",), no_key=True)
        proof = claims.filter(pk=proof_id, state=HostProof.State.WAITING, looks=looks).first()
        if proof is None:
            return
        proof.looks, proof.looked_at, proof.problem = looks + 1, now, problem[:300]
        if method:
            _open(proof, tenant, method, now)
        elif looks < len(WAITS):
            proof.save(update_fields=["looks", "looked_at", "problem"])
            _look_at(proof, tenant, now + timedelta(minutes=WAITS[looks]))
        else:
            proof.state = HostProof.State.IDLE
            proof.save(update_fields=["state", "looks", "looked_at", "problem"])


def make_primary(host_id: UUID, *, actor: Actor, now: datetime) -> Host:
    """Have links and mails lead to this host from now on; raises `HostUnknown`."""
    tenant = current_tenant()
    with enter_public(), transaction.atomic():
        _lock(tenant)
        host = _own_host(tenant, host_id)
        before = Host.objects.get(tenant=tenant, is_primary=True)
        if before.pk == host.pk:
            return host
        Host.objects.filter(pk=before.pk).update(is_primary=False)
        Host.objects.filter(pk=host.pk).update(is_primary=True)
        changed = {"before": {"primary": before.hostname}, "after": {"primary": host.hostname}}
        _tell(tenant, Action.HOST_MADE_PRIMARY, host.hostname, actor=actor, now=now, **changed)
    return host


def remove(host_id: UUID, *, actor: Actor, now: datetime) -> str:
    """Give up a host of the tenant's own; its name is free again. Raises `HostRefused`, `HostUnknown`."""
    tenant = current_tenant()
    with enter_public(), transaction.atomic():
        _lock(tenant)
        host = _own_host(tenant, host_id)
        if is_within(host.hostname, settings.SITE_HOST):
            raise HostRefused("That address always stays yours: it cannot be taken out.")
        if host.is_primary:
            raise HostRefused("Links in mails lead to that host. Make another one the primary first.")
        HostProof.objects.filter(tenant=tenant, hostname=host.hostname).delete()
        host.delete()
        _tell(tenant, Action.HOST_REMOVED, host.hostname, actor=actor, now=now)
        with enter(tenant):
            enqueue("accounts.forget_host", hostname=host.hostname)
    return host.hostname


def _may_be_claimed(text: str, tenant: Tenant) -> str:
    """Return the name; raises `HostRefused` for ours and for those that lead to a tenant already."""
    name = hostname_of(text)
    if is_within(name, settings.SITE_HOST) or is_within(name, settings.PAY_HOST):
        raise HostRefused("Names below our own address are given by us. Enter a name of a domain of yours.")
    with enter_public():
        host = Host.objects.filter(hostname=name).first()
    if host is not None and host.tenant_id == tenant.pk:
        raise HostRefused(f"{name} leads here already.")
    if host is not None:
        raise HostRefused(f"{name} is in use by another business here. It has to be taken out there first.")
    return name


def _open(proof: HostProof, tenant: Tenant, method: str, now: datetime) -> None:
    """Make the host, unless somebody else has meanwhile proven the name."""
    host, made = Host.objects.get_or_create(
        hostname=proof.hostname,
        defaults={"tenant": tenant, "schema_name": tenant.schema_name, "created_at": now},
    )
    if not made and host.tenant_id != tenant.pk:
        proof.state, proof.problem = HostProof.State.IDLE, "Another business here has proven this name."
        proof.save(update_fields=["state", "looks", "looked_at", "problem"])
        return
    proof.state, proof.method, proof.proven_at = HostProof.State.PROVEN, method, now
    proof.save(update_fields=["state", "method", "proven_at", "looks", "looked_at", "problem"])
    _tell(tenant, Action.HOST_PROVEN, proof.hostname, actor=BY_SYSTEM, now=now, method=method)


def _open_claims(tenant: Tenant) -> "QuerySet[HostProof]":
    return HostProof.objects.filter(tenant=tenant).exclude(state=HostProof.State.PROVEN)


def _locked_claim(tenant: Tenant, proof_id: UUID) -> HostProof:
    _lock(tenant)
    proof = _open_claims(tenant).select_for_update(of=("self",), no_key=True).filter(pk=proof_id).first()
    if proof is None:
        raise HostUnknown(str(proof_id))
    return proof


def _own_host(tenant: Tenant, host_id: UUID) -> Host:
    host = Host.objects.filter(tenant=tenant, pk=host_id).first()
    if host is None:
        raise HostUnknown(str(host_id))
    return host


def _lock(tenant: Tenant) -> None:
    """One change of a tenant's hosts at a time; ahead of the audit chain in the order of locks."""
    Tenant.objects.select_for_update(of=("self",), no_key=True).get(pk=tenant.pk)


def _look_at(proof: HostProof, tenant: Tenant, at: datetime) -> None:
    with enter(tenant):
        enqueue(JOB, run_at=at, proof_id=str(proof.pk), looks=proof.looks)


def _tell(tenant: Tenant, action: Action, name: str, *, actor: Actor, now: datetime, **more: object) -> None:
    with enter(tenant):
        record(action, subject=("host", name), actor=actor, now=now, **more)  # type: ignore[arg-type]
