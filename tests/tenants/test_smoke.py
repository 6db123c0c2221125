"""The tests' own fixtures do what they say."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

from privacy.models import Incident, IncidentNotice, IncidentRotation, IncidentScope
from tenants.context import enter_public
from tenants.errors import NoTenant
from tenants.models import Blueprint, Job, MigrationStep, Tenant


def test_a_tenant_sees_only_its_own_row(tenant: Any) -> None:
    assert [each.slug for each in Tenant.objects.all()] == ["alpha"]


def test_a_fresh_tenant_is_committed_and_entered(fresh_tenant: Any) -> None:
    assert [each.pk for each in Tenant.objects.all()] == [fresh_tenant.pk]


def shared_models() -> set[type[Model]]:
    """Those with one table for all tenants: what tests that commit leave there, others find."""
    found = set(apps.get_app_config("tenants").get_models()) - {Blueprint, MigrationStep}
    return found | {Incident, IncidentNotice, IncidentRotation, IncidentScope}


def test_nobody_is_alone_in_the_shared_tables(db: None) -> None:
    """A test that counts there without saying whose rows it means fails always, not only after others."""
    with enter_public():
        empty = {model._meta.label for model in shared_models() if not model._default_manager.exists()}
        assert empty == set(), "let make_crowd in tests/twins.py put a row into each"
        crowd = Job.objects.filter(schema_name="t_crowd")
        assert {"done", "waiting", "running", "parked"} <= set(crowd.values_list("state", flat=True))


def test_outside_a_tenant_the_database_refuses(db: None) -> None:
    with pytest.raises(NoTenant):
        Tenant.objects.count()
