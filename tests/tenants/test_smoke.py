"""The tests' own fixtures do what they say."""

from typing import Any

import pytest

from tenants.errors import NoTenant
from tenants.models import Tenant


def test_a_tenant_sees_only_its_own_row(tenant: Any) -> None:
    assert [each.slug for each in Tenant.objects.all()] == ["alpha"]


def test_a_fresh_tenant_is_committed_and_entered(fresh_tenant: Any) -> None:
    assert [each.pk for each in Tenant.objects.all()] == [fresh_tenant.pk]


def test_outside_a_tenant_the_database_refuses(db: None) -> None:
    with pytest.raises(NoTenant):
        Tenant.objects.count()
