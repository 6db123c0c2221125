"""Making tenants: a row, a host, a schema with a role of its own, all in one transaction."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.models import Anchor
from audit.recording import record
from tenants.context import enter, enter_public
from tenants.errors import SlugRefused, SlugTaken
from tenants.models import Host, Tenant
from vault import datakeys, keyring

RESERVED = frozenset(
    "admin api app assets billing blog cdn docs ftp help imap localhost mail manage mx ns ns1 ns2 pay pop "
    "portal proecommerce public root smtp static staff status stripe support webmail webhooks www".split()
)
SHARED_TABLES = {"tenants_tenant", "tenants_host"}
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,38}[a-z0-9])")


@dataclass(frozen=True, slots=True)
class NewTenant:
    """What a new tenant is to be: ISO country and currency, an IANA time zone."""

    slug: str
    name: str
    country: str
    currency: str
    time_zone: str
    locale: str = "en"
    is_rehearsal: bool = False


_preparers: list[Callable[[Tenant, datetime], None]] = []


def on_new_tenant(prepare: Callable[[Tenant, datetime], None]) -> None:
    """Register what a higher app puts into each new tenant's schema; called inside that tenant."""
    _preparers.append(prepare)


def check_slug(slug: str) -> str:
    """Return the slug as it will be used; raises `SlugRefused` with what to do, or `SlugTaken`."""
    slug = slug.strip().lower()
    if not LABEL.fullmatch(slug) or "--" in slug:
        raise SlugRefused(
            "Use 3 to 40 letters a-z, digits and single hyphens, with a letter or digit first and last."
        )
    if slug in RESERVED:
        raise SlugRefused(f"“{slug}” is reserved. Choose another name.")
    with enter_public():
        if Tenant.objects.filter(slug=slug).exists():
            raise SlugTaken(f"“{slug}” is taken. Choose another name.")
    return slug


def create_tenant(new: NewTenant, *, actor: Actor, now: datetime) -> Tenant:
    """Make the tenant, its host and its schema; raises `SlugTaken` or `SlugRefused`. One transaction."""
    slug = check_slug(new.slug)
    tenant = Tenant(
        slug=slug,
        schema_name=_free_schema(slug),
        name=new.name.strip(),
        country=new.country,
        currency=new.currency,
        time_zone=new.time_zone,
        locale=new.locale,
        is_rehearsal=new.is_rehearsal,
        created_at=now,
    )
    hostname = f"{slug}.{settings.SITE_HOST}"
    keyring.warm_up()  # before the transaction: it may have to ask Secrets Manager
    try:
        with enter_public(), transaction.atomic():
            tenant.save(force_insert=True)
            Host.objects.create(
                hostname=hostname,
                tenant=tenant,
                schema_name=tenant.schema_name,
                is_primary=True,
                created_at=now,
            )
            with connection.cursor() as cursor:
                cursor.execute("SELECT provision_schema(%s)", [tenant.schema_name])
            with enter(tenant):
                datakeys.prepare()
                after = {"slug": slug, "name": tenant.name, "host": hostname}
                record(
                    Action.TENANT_CREATED, subject=("tenant", tenant.id), actor=actor, now=now, after=after
                )
                for prepare in _preparers:
                    prepare(tenant, now)
    except IntegrityError as error:
        if not _is_about_the_name(error):
            raise
        raise SlugTaken(f"“{slug}” is taken. Choose another name.") from error
    return tenant


def _free_schema(slug: str) -> str:
    """Return a name that no chain was ever seen under: one that was dropped stays on record as it ended."""
    plain = name = f"t_{slug.replace('-', '_')}"
    number = 1
    with enter_public():
        while Anchor.objects.filter(schema_name=name).exists():
            number += 1
            name = f"{plain}__{number}"  # no slug has two hyphens in a row
    return name


def _is_about_the_name(error: IntegrityError) -> bool:
    """Tell whether somebody else has just taken the slug or its host; all else is no fault of the slug."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return diagnosis is not None and diagnosis.sqlstate == "23505" and diagnosis.table_name in SHARED_TABLES
