"""The twins are what the twin test takes them for: alike to the last key, with a canary in every text."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql

from tests.wall.twins import KEPT, OWN, A, B, Twins, admin, plantable, tenant_models

pytestmark = pytest.mark.xdist_group("wall")
ALONE = {"django_session", "vault_datakey", "vault_subjectkey"}


@pytest.fixture
def owner(twins: Twins, db: None) -> Iterator[Any]:
    with admin() as found:
        yield found


def keys_in(owner: Any, schema: str, model: Any) -> list[Any]:
    key = sql.Identifier(model._meta.pk.column)
    table = sql.Identifier(schema, model._meta.db_table)
    query = sql.SQL("SELECT {}::text FROM {} ORDER BY 1").format(key, table)
    return [row[0] for row in owner.execute(query).fetchall()]


def test_every_model_has_rows_and_both_have_the_same_keys(twins: Twins, owner: Any) -> None:
    empty = set()
    for model in tenant_models():
        if model._meta.db_table in ALONE:
            continue
        of_a = keys_in(owner, twins.a.schema_name, model)
        if not of_a:
            empty.add(model._meta.label)
        assert set(of_a) <= set(keys_in(owner, twins.b.schema_name, model)), model._meta.label
    assert empty == set(), "let tests/wall/furnishing.py make a row of each"


def test_every_free_text_holds_a_canary_of_its_own_tenant(twins: Twins, owner: Any) -> None:
    silent = set()
    for model in tenant_models():
        table = model._meta.db_table
        kept = KEPT.get(table, set())
        if table in OWN or kept == "*":
            continue
        for each in model._meta.local_concrete_fields:
            if plantable(each) and each.column not in kept:
                for schema, mark in ((twins.a.schema_name, A), (twins.b.schema_name, B)):
                    query = sql.SQL("SELECT count(*) FROM {} WHERE {} LIKE {}").format(
                        sql.Identifier(schema, table), sql.Identifier(each.column), sql.Literal(f"%{mark}%")
                    )
                    if owner.execute(query).fetchone()[0] == 0:
                        silent.add(f"{schema}.{table}.{each.column}")
    assert silent == set()


def test_no_canary_stands_in_the_wrong_schema(twins: Twins, owner: Any) -> None:
    """Row by row as text, so that no column is left out."""
    for schema, foreign in ((twins.a.schema_name, B), (twins.b.schema_name, A)):
        for model in tenant_models():
            query = sql.SQL("SELECT count(*) FROM {} t WHERE t::text ILIKE {}").format(
                sql.Identifier(schema, model._meta.db_table), sql.Literal(f"%{foreign}%")
            )
            assert owner.execute(query).fetchone()[0] == 0, (schema, model._meta.label)
