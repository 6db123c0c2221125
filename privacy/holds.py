"""Legal holds: what stands still, and rows without those that do.

A hold on a customer or user stands in the tenant's schema; one on a whole tenant in the platform's.
"""

from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from privacy import inventory
from privacy.models import Hold
from privacy.subjects import Subject
from tenants.context import current_tenant, enter_public, in_public
from tenants.models import Tenant

M = TypeVar("M", bound=Model)


def held(kind: str) -> list[str]:
    """Return the ids of the subjects of this kind under a hold, in the schema entered."""
    standing = Hold.objects.filter(subject_kind=kind, lifted_at__isnull=True)
    return list(standing.values_list("subject_id", flat=True).distinct())


def is_held(subject: Subject) -> bool:
    """Tell whether a hold stands on this subject, in the schema entered."""
    standing = Hold.objects.filter(lifted_at__isnull=True)
    return standing.filter(subject_kind=subject.kind, subject_id=subject.id).exists()


def any_stands() -> bool:
    """Tell whether a hold stands on anybody in the schema entered."""
    return Hold.objects.filter(lifted_at__isnull=True).exists()


def is_schema_held(tenant: Tenant) -> bool:
    """Tell whether a hold stands on the whole tenant."""
    with enter_public():
        return is_held(Subject("tenant", str(tenant.pk)))


def is_workspace_held() -> bool:
    """Tell whether a hold stands on the tenant whose schema is entered; the platform's own has none."""
    return not in_public() and is_schema_held(current_tenant())


def held_schemas() -> list[str]:
    """Return the schemas of the tenants under a hold. In the platform's schema."""
    return list(Tenant.objects.filter(pk__in=held("tenant")).values_list("schema_name", flat=True))


def any_held(rows: "QuerySet[M]") -> bool:
    """Tell whether one of the rows is about somebody under a hold, as the inventory says whose they are."""
    theirs = Q(pk__in=[])
    for about in inventory.holding_of(rows.model._meta.label).about:
        ids = held(about.kind)
        if ids:
            theirs |= Q(**{f"{about.path}__in": ids})
    return rows.filter(theirs).exists()


def without_held(rows: "QuerySet[M]") -> "QuerySet[M]":
    """Leave out the rows that are about somebody under a hold, as the inventory says whose they are."""
    for about in inventory.holding_of(rows.model._meta.label).about:
        ids: list[Any] = held(about.kind)
        if ids:
            rows = rows.exclude(**{f"{about.path}__in": ids})
    return rows


def lifted_before(cut: datetime) -> "QuerySet[Hold]":
    """Return the holds that were lifted before this instant."""
    return Hold.objects.filter(lifted_at__lt=cut)
