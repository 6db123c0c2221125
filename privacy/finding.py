"""Whose an address is, over the whole platform, and what became of that address lately."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from privacy.subjects import Subject, find, known
from tenants.context import enter, enter_public
from tenants.directory import every_tenant, tenant_of_schema
from tenants.models import Tenant
from tenants.postgresql.base import PUBLIC


@dataclass(frozen=True, slots=True)
class Found:
    """A subject, and the schema that it is in."""

    schema_name: str
    subject: Subject


@dataclass(frozen=True, slots=True)
class Moved:
    """The address on file is new; `before` is the old one, empty where it is not known any more."""

    before: str


Mover = Callable[[str, datetime], Moved | None]
_movers: dict[str, Mover] = {}


def address_changes(kind: str, moved: Mover) -> None:
    """Register how to tell, for a kind of subject, whether its address was changed since an instant."""
    _movers[kind] = moved


@contextmanager
def inside(schema_name: str) -> Iterator[None]:
    """Enter the schema of a subject; raises `Tenant.DoesNotExist`."""
    if schema_name == PUBLIC:
        with enter_public():
            yield
        return
    with enter(tenant_of_schema(schema_name)):
        yield


def place_name(schema_name: str) -> str:
    """What people call the place of a schema."""
    if schema_name == PUBLIC:
        return "ProEcommerce"
    try:
        return tenant_of_schema(schema_name).name
    except Tenant.DoesNotExist:
        return f"{schema_name} (gone)"


def is_rehearsal(schema_name: str) -> bool:
    """Tell whether it is the schema of a rehearsal, in which no job of erasing runs."""
    return Tenant.objects.filter(schema_name=schema_name, is_rehearsal=True).exists()


def find_everywhere(address: str) -> list[Found]:
    """Return every subject with this address on file: the platform's own and those of each tenant.

    Of tenants that rehearse too: what was imported there is of real people.
    """
    if not address or not address.isascii():
        return []  # what PostgreSQL takes for the same letter need not be the same mailbox
    with enter_public():
        found = [Found(PUBLIC, subject) for subject in find(address)]
    for tenant in every_tenant():
        with enter(tenant):
            found += [Found(tenant.schema_name, subject) for subject in find(address)]
    return found


def address_on_file(found: Found) -> str:
    """Return the address on file now; empty where there is none any more."""
    with inside(found.schema_name):
        on_file = known(found.subject)
    return on_file.email if on_file else ""


def moved_since(found: Found, since: datetime) -> Moved | None:
    """Tell whether the subject's address was changed since then, and what it was before."""
    mover = _movers.get(found.subject.kind)
    if mover is None:
        return None
    with inside(found.schema_name):
        return mover(found.subject.id, since)
