"""Copies to take along: all of the subject and nothing of others, exact, and read by other programs."""

import io
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import Customer
from privacy import access, inventory
from privacy.inventory import Export
from privacy.subjects import Subject
from tests.billing.portal import making
from tests.privacy.copies import copy_about, loaded, pack
from tests.wall.furnishing import furnish
from vault.errors import SealBroken
from vault.files import PIECE, Sealer, new_key, opened

MARK = "Qanary"
HOSTILE = (
    "'; DROP TABLE accounts_customer; --", "\\", "\\'", "a\\nb", "line\r\nnext\ttab", "=HYPERLINK(\"http://x\")",
    '"quoted", and more', "\\. \\! \\c", "$$ $1 :name %s {}", "ünï ☃ \u2028 \U0001f4a5", "\x01\x1f\x7f",
    "NULL",
)  # fmt: skip


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, str):
        yield value


def canaries(mark: str) -> set[tuple[str, str, str]]:
    """Every text of the schema entered that has the mark: table, column, text."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT to_jsonb(t)::text FROM "{table}" t WHERE to_jsonb(t)::text LIKE %s', [f"%{mark}%"]
            )
            for (text,) in cursor.fetchall():
                for column, value in json.loads(text).items():
                    found |= {(table, column, leaf) for leaf in leaves(value) if mark in leaf}
    return found


def withheld() -> set[tuple[str, str]]:
    return {
        (holding.model._meta.db_table, name)
        for holding in inventory.holdings()
        for name, data in holding.personal.items()
        if data.export is Export.WITHHELD
    }


@pytest.fixture
def furnished(tenant: Any) -> dict[str, tuple[Subject, Subject]]:
    """Two customers with one of everything, and their people: subjects by number."""
    found = furnish(MARK)
    return {
        number: (
            Subject("user", str(found[number].user_id)),
            Subject("customer", str(found[number].ids["customer_id"])),
        )
        for number in ("1", "2")
    }


def test_a_copy_holds_all_of_the_subject_and_nothing_of_anybody_else(
    furnished: dict[str, tuple[Subject, Subject]],
) -> None:
    copies = [copy_about(subject) for subject in furnished["1"]]
    text = "\n".join(copy.everything for copy in copies)
    # What the business is called, sells and taxes stands on its customers' invoices; no more of it does.
    ours = re.compile(rf"{MARK}0 (business|hosting|tax)\b")
    assert [
        line for line in text.splitlines() if f"{MARK}2" in line or f"{MARK}0" in ours.sub("", line)
    ] == []
    secret = withheld()
    held = {each for each in canaries(f"{MARK}1") if each[:2] not in secret}
    assert len(held) > 30
    assert {each for each in held if each[2] not in text} == set()


def test_secrets_are_named_and_never_given(furnished: dict[str, tuple[Subject, Subject]]) -> None:
    user, _ = furnished["1"]
    copy = copy_about(user)
    assert copy.manifest["kept_secret"]["Log-in"] == ["Password"]
    treated = {each["name"]: each["treated"] for each in copy.manifest["tables"]}["accounts_user"]
    fields = {name for each in treated for name in each["fields"]}
    assert fields == set(inventory.holding_of("accounts.User").personal)
    assert "Requests of the last days" in copy.manifest["registers_not_searched"]
    assert set(copy.manifest["kept_secret"]["Authenticator app"]) >= {"Secret"}
    texts = copy.everything
    for table, column in withheld():
        for _, _, value in {each for each in canaries(f"{MARK}1") if each[:2] == (table, column)}:
            assert value not in texts
    assert "argon2" not in texts and f"{MARK}1 hash" not in texts


def test_the_dump_loads_into_an_empty_database_and_is_exact_whatever_the_text(tenant: Any) -> None:
    customer = making.customer(address_line2="x")
    rows = [
        Customer(
            pk=UUID(int=at + 1), name=text, email=f"{at}@x.example", business_name="", city=text,
            country="DE", currency="EUR", created_at=making.NOW,
        )
        for at, text in enumerate(HOSTILE)
    ]  # fmt: skip
    Customer.objects.bulk_create(rows)
    tables = [table for table in access.tables_of_workspace() if table.label == "accounts.Customer"]
    copy = pack(tables)
    by_id = {row["id"]: row for row in copy.rows("accounts_customer")}
    with loaded(copy) as database:
        found = dict(database.execute("SELECT id::text, name FROM accounts_customer").fetchall())
        empty = database.execute("SELECT count(*) FROM accounts_customer WHERE business_name = ''").fetchone()
    for row in rows:
        assert by_id[str(row.pk)]["name"] == row.name == found[str(row.pk)]
    assert empty == (len(rows),)
    assert found[str(customer.pk)] == customer.name
    assert f'{rows[0].pk},,{HOSTILE[0]},"",' in copy.text("csv/accounts_customer.csv")  # '' is not NULL


def test_the_whole_workspace_leaves_with_every_table_and_no_secret(
    furnished: dict[str, tuple[Subject, Subject]],
) -> None:
    copy = pack(access.tables_of_workspace())
    names = {table["name"] for table in copy.manifest["tables"]}
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        there = {name for (name,) in cursor.fetchall()}
    left_out = {
        name for name in there
        if name.startswith(("vault_", "django_", "auth_"))
        or name in {"accounts_passkeychallenge", "privacy_exportfile"}
    }  # fmt: skip
    tables = {table.name for table in access.tables_of_workspace()}
    assert (there - left_out) | {"tenants_tenant", "tenants_host", "tenants_hostproof"} == tables
    with loaded(copy) as database:
        for table in copy.manifest["tables"]:
            number = database.execute(f'SELECT count(*) FROM "{table["name"]}"').fetchone()
            assert number == (table["rows"],)
        assert (
            database.execute(
                "SELECT count(*) FROM billing_invoiceline l JOIN billing_invoice i ON i.id = l.invoice_id"
            ).fetchone()
            == database.execute("SELECT count(*) FROM billing_invoiceline").fetchone()
        )
    assert {"billing_invoice", "billing_posting", "audit_auditevent", "accounts_user"} <= names
    text = copy.everything
    held = {each for each in canaries(MARK) if each[:2] not in withheld()}
    assert {each for each in held if each[2] not in text and each[0] in tables} == set()
    for table, column in withheld():
        for each in canaries(MARK):
            assert each[:2] != (table, column) or each[2] not in text, each


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_sealed_file_opens_whole_and_not_when_it_was_touched(size: int) -> None:
    plain, key = bytes(range(256)) * (size // 256) + b"x" * (size % 256), new_key()
    target = io.BytesIO()
    sealer = Sealer(target, key, context="here")
    for at in range(0, size, 300_000):
        sealer.write(plain[at : at + 300_000])
    sealer.finish()
    sealed = target.getvalue()
    assert b"".join(opened(io.BytesIO(sealed), key, context="here")) == plain
    assert plain[:64] not in sealed or size < 64
    touched = [sealed[:-1], sealed + b"x", sealed[:8] + bytes([sealed[8] ^ 1]) + sealed[9:]]
    if size > PIECE:
        touched.append(sealed[: 8 + PIECE + 16])
    for each in touched:
        with pytest.raises(SealBroken):
            list(opened(io.BytesIO(each), key, context="here"))
    for wrong in ({"key": new_key(), "context": "here"}, {"key": key, "context": "there"}):
        with pytest.raises(SealBroken):
            list(opened(io.BytesIO(sealed), **wrong))
