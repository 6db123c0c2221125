"""Changing how the tenant bills, and who and where it is."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.places import check_country, check_currency, check_time_zone
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import planning
from billing.errors import Refused
from billing.models import BillingSettings, Invoice, NumberSeries
from billing.numbering import NumberingError, check_prefix, parse, render, series_key
from billing.periods import local_date
from tenants.context import current_tenant
from tenants.models import Tenant

TENANT_FIELDS = ("name", "country", "time_zone", "currency", "locale")


def change_settings(*, actor: Actor, now: datetime, **fields: Any) -> BillingSettings:
    """Change the settings given; the next run is set anew. Raises `Refused`. Locks the settings."""
    try:
        if "number_prefix" in fields:
            check_prefix(fields["number_prefix"])
        if "number_format" in fields:
            parse(fields["number_format"])
    except NumberingError as error:
        raise Refused(str(error)) from error
    with transaction.atomic():
        settings = BillingSettings.objects.select_for_update().get()
        changed = [name for name, value in fields.items() if _plain(getattr(settings, name)) != value]
        if changed:
            before = _shown(settings, changed)
            for name in changed:
                setattr(settings, name, fields[name])
            settings.save(update_fields=changed)
            if {"number_prefix", "number_format"}.intersection(changed):
                _check_next_number(settings, now)
            if "days_ahead" in changed:
                planning.replan(now=now)
            after = _shown(settings, changed)
            subject = ("settings", "billing")
            record(Action.SETTINGS_CHANGED, subject=subject, actor=actor, now=now, before=before, after=after)
    return settings


def change_tenant(*, actor: Actor, now: datetime, **fields: Any) -> Tenant:
    """Change the tenant's name, country, time zone, currency or locale; its days may begin elsewhere then.

    Raises ValidationError for a place that does not exist.
    """
    checks = {"country": check_country, "currency": check_currency, "time_zone": check_time_zone}
    wanted = {name: checks.get(name, str)(fields[name]) for name in TENANT_FIELDS if name in fields}
    tenant = current_tenant()
    with transaction.atomic():
        locked = Tenant.objects.select_for_update(of=("self",), no_key=True).get(pk=tenant.pk)
        before = {name: getattr(locked, name) for name in wanted if getattr(locked, name) != wanted[name]}
        after = {name: wanted[name] for name in before}
        if after:
            Tenant.objects.filter(pk=tenant.pk).update(**after)
            for name, value in after.items():
                setattr(tenant, name, value)
            planning.replan(now=now)
            subject = ("tenant", tenant.pk)
            record(Action.SETTINGS_CHANGED, subject=subject, actor=actor, now=now, before=before, after=after)
    return tenant


def _check_next_number(settings: BillingSettings, now: datetime) -> None:
    """Refuse a format whose next number is taken: the next run would stop at it."""
    template, prefix = settings.number_format, settings.number_prefix
    on = local_date(now, current_tenant().zone)
    last = NumberSeries.objects.filter(pk=series_key(template, prefix, on)).values_list("last", flat=True)
    number = render(template, prefix, on, (last.first() or 0) + 1)
    if Invoice.objects.filter(number=number).exists():
        raise Refused(f"The next number would be {number}, which is taken. Choose another prefix or format.")


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _shown(settings: BillingSettings, names: list[str]) -> dict[str, Any]:
    """The values for the record; a picture by its size."""
    return {
        name: f"{len(value)} bytes" if isinstance(value, bytes) else value
        for name in names
        for value in [_plain(getattr(settings, name))]
    }
