"""Entering and leaving a tenant: the only way to the database, the cache and the jobs of a tenant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from django.db import connection

from tenants.errors import NoTenant
from tenants.postgresql.base import PUBLIC

if TYPE_CHECKING:
    from tenants.models import Tenant


class Schema(Protocol):
    """Anything that names a schema."""

    @property
    def schema_name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Public:
    """The platform's own schema, as a place to enter."""

    schema_name: str = PUBLIC


@contextmanager
def enter(tenant: Schema) -> Iterator[None]:
    """Work inside `tenant` for the block; what was entered before comes back afterwards."""
    wrapper = cast(Any, connection)
    before = wrapper.tenant
    wrapper.set_tenant(tenant)
    try:
        yield
    finally:
        if before is None:
            wrapper.leave_tenant()
        else:
            wrapper.set_tenant(before)


@contextmanager
def enter_public() -> Iterator[None]:
    """Work on the shared tables, as the platform."""
    with enter(Public()):
        yield


@contextmanager
def outside() -> Iterator[None]:
    """Leave every tenant for the block, as a fresh thread would be."""
    wrapper = cast(Any, connection)
    before = wrapper.tenant
    wrapper.leave_tenant()
    try:
        yield
    finally:
        if before is not None:
            wrapper.set_tenant(before)


def current_schema() -> str:
    """Return the name of the schema entered; raises `NoTenant` outside."""
    name: str | None = cast(Any, connection).schema_name
    if name is None:
        raise NoTenant
    return name


def in_public() -> bool:
    """Tell whether the platform's shared schema is entered."""
    return current_schema() == PUBLIC


def current_tenant() -> "Tenant":
    """Return the tenant entered; raises `NoTenant` outside and in the shared schema."""
    tenant = cast(Any, connection).tenant
    if tenant is None or tenant.schema_name == PUBLIC:
        raise NoTenant("Something that belongs to a tenant")
    return cast("Tenant", tenant)
