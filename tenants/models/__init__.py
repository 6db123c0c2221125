"""Shared tables: tenants, their hosts, their jobs, and the template their schemas are made from."""

from tenants.models.jobs import Job
from tenants.models.proofs import HostProof
from tenants.models.schemas import Blueprint, MigrationStep
from tenants.models.tenants import Host, Tenant
from tenants.models.throttles import Throttle

__all__ = ["Blueprint", "Host", "HostProof", "Job", "MigrationStep", "Tenant", "Throttle"]
