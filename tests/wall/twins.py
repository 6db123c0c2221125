"""Two committed tenants with the same keys: `b` is a copy of `a` in which every canary is another."""

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from psycopg import sql

from accounts.models import Totp
from billing.models import StripeConnection
from privacy import exporting
from privacy.models import ExportFile
from tenants import clock
from tenants.context import current_tenant, enter
from tests.twins import make
from tests.wall.furnishing import ACTOR, Furniture, furnish
from vault.files import new_key

A, B = "canarya", "canaryb"
TEXTS = ("CharField", "TextField", "EmailField", "SlugField", "URLField")
# Of each tenant's own: not copied.
OWN = {"django_migrations", "vault_datakey", "vault_subjectkey", "django_session"}
# Texts of a form of their own, and what only rules may write; canaries come there with the rows.
KEPT = {
    "audit_auditevent": "*",
    "billing_journalentry": "*",
    "billing_numberseries": {"key"},
    "privacy_closing": {"subject_kind", "subject_id"},
    "privacy_erasure": {"subject_kind", "subject_id"},
    "accounts_user": {"password", "email"},
    "privacy_consent": {"subject_kind", "subject_id"},
    "privacy_consenttext": {"purpose"},
    "privacy_exportfile": {"subject_kind", "subject_id", "asked_by"},
    "privacy_hold": {"subject_kind", "subject_id"},
    "privacy_news": {"asked_by"},
    "privacy_policynotice": {"subject_kind", "subject_id", "given_up_because"},
    "privacy_restriction": {"subject_kind", "subject_id"},
    "billing_billingsettings": {"number_format", "number_prefix", "brand_colour", "logo_type"},
    "billing_payment": {"unanswered_by"},
    "billing_stripeconnection": {"account_id", "publishable_key", "webhook_endpoint"},
}
SHORT = 16  # a shorter column has room for a code, and for no canary


@dataclass(frozen=True)
class Twins:
    """Both tenants, what both have under the same keys, and what only `b` has."""

    a: Any
    b: Any
    both: dict[str, Furniture]
    only_b: dict[str, Furniture]


def tenant_models() -> list[type[models.Model]]:
    """Every model with a table in a tenant's schema."""
    labels = {name.rpartition(".")[2] for name in settings.TENANT_APPS}
    found = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    return [model for model in found if model._meta.app_label in labels and not _only_the_platforms(model)]


def _only_the_platforms(model: Any) -> bool:
    config = apps.get_app_config(model._meta.app_label)
    return model._meta.model_name in getattr(config, "platform_models", ())


def build() -> Twins:
    """Make both tenants and commit them."""
    name = os.urandom(4).hex()
    a = make(f"wall-a-{name}", name=f"{A}0 Hosting")
    b = make(f"wall-b-{name}", name=f"{B}0 Hosting")
    with enter(a):
        both = furnish(A)
    with admin() as owner:
        plant(owner, a.schema_name)
        owner.commit()
        with enter(a):
            _make_copies()
        copy(owner, a.schema_name, b.schema_name)
    with enter(b):
        found = StripeConnection.objects.get()
        found.sealed_key, found.sealed_webhook_secret = f"rk_test_{B}0", f"whsec_{B}0{B}0"
        found.save()
        for totp in Totp.objects.all():  # sealed with a key of A's
            totp.secret = f"{B}0secret"
            totp.save()
        only_b = _more(B)
        _make_copies()
    return Twins(a, b, both, only_b)


def _make_copies() -> None:
    """Put the file of each copy of data into the bucket, under a key of this tenant's."""
    for copy in ExportFile.objects.all():
        copy.state, copy.key, copy.ready_at, copy.expires_at = copy.State.WAITING, new_key(), None, None
        copy.save()
        exporting.make(copy.pk, actor=ACTOR, now=clock.now())


def _more(mark: str) -> dict[str, Furniture]:
    """Rows that only this tenant has."""
    from tests.billing.portal import making
    from tests.wall import furnishing, rights

    price = making.price(f"{mark}0 more")
    found = {"1": furnishing._customer(f"{mark}3", price), "2": furnishing._customer(f"{mark}4", price)}
    rate = making.tax_rate(country="FR", name=f"{mark}0 other")
    colleague = furnishing._colleague(f"{mark}5")
    owner = making.person(f"{mark}6owner@wall.example", "owner", f"{mark}6 owner")
    colleague |= {"copy_id": rights.whole_copy(owner, current_tenant().pk, f"{mark}6")}
    for each in found.values():
        each.ids |= colleague | {"rate_id": rate.pk, "price_id": price.pk, "product_id": price.product_id}
    return found


def admin() -> "psycopg.Connection[Any]":
    name = str(connection.settings_dict["NAME"])
    found = psycopg.connect(os.environ["DATABASE_ADMIN_URL"], dbname=name)
    found.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
    return found


def plant(owner: "psycopg.Connection[Any]", schema: str) -> None:
    """Write a canary into every text that has none yet and may hold one; marked by whose row it is."""
    for model in tenant_models():
        table = model._meta.db_table
        kept = KEPT.get(table, set())
        if table in OWN or kept == "*":
            continue
        for each in model._meta.local_concrete_fields:
            if plantable(each) and each.column not in kept:
                _plant_column(owner, model, each, schema)


def _plant_column(
    owner: "psycopg.Connection[Any]", model: type[models.Model], each: Any, schema: str
) -> None:
    """All rows at once; where a constraint refuses some, row by row, and those stay as they are."""
    planting = _planting(model, each, schema)
    try:
        with owner.transaction():
            owner.execute(planting)
        return
    except psycopg.errors.IntegrityError:
        key = sql.Identifier(model._meta.pk.column)
        table = sql.Identifier(schema, model._meta.db_table)
        found = owner.execute(sql.SQL("SELECT {} FROM {}").format(key, table)).fetchall()
    for row in found:
        with suppress(psycopg.errors.IntegrityError), owner.transaction():
            owner.execute(planting + sql.SQL(" AND t.{} = {}").format(key, sql.Literal(row[0])))


def plantable(each: Any) -> bool:
    """Whether the column holds free text with room for a canary."""
    kind = each.get_internal_type()
    room = each.max_length is None or each.max_length >= SHORT
    return kind in TEXTS and not each.choices and not each.primary_key and not each.is_relation and room


def _planting(model: type[models.Model], each: Any, schema: str) -> sql.Composed:
    ending = "@wall.example" if each.get_internal_type() == "EmailField" else ""
    return sql.SQL(
        "UPDATE {table} t SET {column} = left({mark} || {whose} || substr(md5(t.{key}::text), 1, 3)"
        " || {ending}, {room}) WHERE coalesce(t.{column}, '') NOT LIKE {any}"
    ).format(
        table=sql.Identifier(schema, model._meta.db_table),
        column=sql.Identifier(each.column),
        mark=sql.Literal(A),
        whose=_whose(model, schema),
        key=sql.Identifier(model._meta.pk.column),
        ending=sql.Literal(ending),
        room=sql.Literal(each.max_length or 100),
        any=sql.Literal(f"%{A}%"),
    )


def _whose(model: type[models.Model], schema: str) -> sql.Composable:
    """`1` or `2` for a customer's row, as its customer's name says; `0` for the tenant's."""
    columns = {each.column for each in model._meta.local_concrete_fields}
    customer: sql.Composable | None = None
    if model._meta.db_table == "accounts_customer":
        customer = sql.SQL("t.id")
    elif "customer_id" in columns:
        customer = sql.SQL("t.customer_id")
    else:
        for column, table in (("invoice_id", "billing_invoice"), ("payment_id", "billing_payment")):
            if column in columns:
                customer = sql.SQL("(SELECT o.customer_id FROM {} o WHERE o.id = t.{})").format(
                    sql.Identifier(schema, table), sql.Identifier(column)
                )
    if customer is None and model._meta.db_table == "accounts_user":
        return sql.SQL("substr(t.email, 8, 1)")
    if customer is None and "user_id" in columns:
        return sql.SQL("(SELECT substr(u.email, 8, 1) FROM {} u WHERE u.id = t.user_id)").format(
            sql.Identifier(schema, "accounts_user")
        )
    if customer is None:
        return sql.SQL("'0'")
    return sql.SQL("coalesce((SELECT substr(c.name, 8, 1) FROM {} c WHERE c.id = {}), '0')").format(
        sql.Identifier(schema, "accounts_customer"), customer
    )


def copy(owner: "psycopg.Connection[Any]", source: str, target: str) -> None:
    """Make the tables of `target` hold the rows of `source`, every canary exchanged."""
    tables = owner.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'", [source]
    ).fetchall()
    for (table,) in tables:
        if table not in OWN:
            _copy_table(owner, table, source, target)


def _copy_table(owner: "psycopg.Connection[Any]", table: str, source: str, target: str) -> None:
    columns = owner.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [source, table],
    ).fetchall()
    values = [_exchanged(name, kind) for name, kind in columns]
    owner.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(target, table)))
    owner.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}").format(
            sql.Identifier(target, table),
            sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
            sql.SQL(", ").join(values),
            sql.Identifier(source, table),
        )
    )


def _exchanged(name: str, kind: str) -> sql.Composable:
    column = sql.Identifier(name)
    if kind in {"text", "character varying"}:
        return sql.SQL("replace({}, {}, {})").format(column, sql.Literal(A), sql.Literal(B))
    if kind == "jsonb":
        return sql.SQL("replace({}::text, {}, {})::jsonb").format(column, sql.Literal(A), sql.Literal(B))
    return column


def keys_of(found: dict[str, Furniture], who: str) -> dict[str, UUID]:
    return found[who].ids
