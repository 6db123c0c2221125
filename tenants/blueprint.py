"""The template schema written as one DDL script, from its catalog: what a new tenant is made by.

The recorded steps replay history (a table, then columns, constraints and indexes one by one); this says the
same end in the fewest statements. What it does not know how to write, it refuses: `BlueprintIncomplete`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection

# Stands for the new schema's name and role in the script; `provision_schema` puts them in.
SCHEMA = "__schema__"
INLINE = ("p", "u", "x", "c", "f")

# PostgreSQL writes `state IN ('a', 'b')` on a varchar in a form that it reads back as another: say it anew.
_VALUE = r"'(?:[^']|'')*'"
_LIST = re.compile(
    rf"\((\w+)\)::text (= ANY|<> ALL) \(\(ARRAY\[((?:{_VALUE}::character varying(?:, )?)+)\]\)::text\[\]\)"
)
_CASTS = re.compile(r"::[a-z ]+(?:\(\d+\))?(?:\[\])?|[()]")


class BlueprintIncomplete(RuntimeError):
    """The template holds something that this module cannot write yet."""


def write(template: str) -> str:
    """Return the script that makes a schema like `template`, rows included. Call as the owner, in public."""
    with connection.cursor() as cursor:
        # With nothing of ours on the path, PostgreSQL writes every name with its schema.
        cursor.execute("SELECT set_config('search_path', 'pg_catalog', false)")
        try:
            _refuse_unknown(cursor, template)
            parts = [
                *_tables(cursor, template),
                *_rows(cursor, INDEXES, template),
                *_rows(cursor, FUNCTIONS, template),
                *_rows(cursor, TRIGGERS, template),
                *_contents(cursor, template),
                *_grants(cursor, template),
            ]
        finally:
            cursor.execute("SELECT set_config('search_path', 'public', false)")
    script = ";\n".join(part.rstrip().rstrip(";").replace(template, SCHEMA) for part in parts) + ";"
    return _LIST.sub(_as_list, script)


def same(one: str, other: str) -> bool:
    """Tell whether two scripts make the same schema; casts and brackets are PostgreSQL's to choose."""
    return _CASTS.sub("", one) == _CASTS.sub("", other)


def _as_list(found: re.Match[str]) -> str:
    column, operator, values = found.groups()
    return (
        f"{column} {'IN' if operator == '= ANY' else 'NOT IN'} ({values.replace('::character varying', '')})"
    )


def _refuse_unknown(cursor: Any, template: str) -> None:
    found = _rows(cursor, UNKNOWN, template)
    if found:
        raise BlueprintIncomplete(
            f"{template} has what tenants/blueprint.py cannot write: {', '.join(found)}"
        )


def _rows(cursor: Any, query: str, template: str) -> list[str]:
    cursor.execute(query, {"schema": template})
    return [row[0] for row in cursor.fetchall()]


def _tables(cursor: Any, template: str) -> Iterable[str]:
    """Each table in one statement, its constraints inside: nothing is scanned or rewritten afterwards.

    A table comes after those that its foreign keys point at; in a cycle the key follows by itself.
    """
    bodies: dict[str, list[str]] = defaultdict(list)
    names: dict[int, str] = {}
    cursor.execute(COLUMNS, {"schema": template})
    for oid, name, line in cursor.fetchall():
        names[oid] = name
        bodies[name].append(line)
    keys: dict[str, list[tuple[str, str]]] = defaultdict(list)
    cursor.execute(CONSTRAINTS, {"schema": template, "kinds": list(INLINE)})
    for oid, points_at, line in cursor.fetchall():
        if points_at is None:
            bodies[names[oid]].append(line)
        else:
            keys[names[oid]].append((names[points_at], line))
    done: set[str] = set()
    late: list[str] = []
    waiting = list(bodies)
    while waiting:
        ready = [name for name in waiting if all(to in done or to == name for to, _ in keys[name])]
        for name in ready or waiting[:1]:
            made = done | {name}
            inline = [line for to, line in keys[name] if to in made]
            late += [f"ALTER TABLE {name} ADD {line}" for to, line in keys[name] if to not in made]
            yield f"CREATE TABLE {name} ({', '.join(bodies[name] + inline)})"
            done.add(name)
            waiting.remove(name)
    yield from late


def _contents(cursor: Any, template: str) -> Iterable[str]:
    """The rows that migrations have put into the template, as they are now."""
    cursor.execute(FILLABLE, {"schema": template})
    for table, columns in cursor.fetchall():
        cursor.execute(
            f"SELECT quote_literal(json_agg(to_json(each))::text) FROM (SELECT {columns} FROM {table}) each"
        )
        (literal,) = cursor.fetchone()
        if literal is not None:
            yield (
                f"INSERT INTO {table} ({columns}) SELECT {columns} FROM"
                f" json_populate_recordset(NULL::{table}, {literal})"
            )


def _grants(cursor: Any, template: str) -> Iterable[str]:
    """The same rights as `grant_tenant` gives, to a role named like the schema."""
    yield f"GRANT USAGE ON SCHEMA {template} TO {template}"
    open_tables: list[str] = []
    guarded: list[str] = []
    cursor.execute(GUARDED, {"schema": template})
    for table, is_guarded in cursor.fetchall():
        (guarded if is_guarded else open_tables).append(table)
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(open_tables)} TO {template}"
    yield f"GRANT SELECT, INSERT ON {', '.join(guarded)} TO {template}"
    yield f"GRANT SELECT ON {template}.django_migrations TO {template}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {template} TO {template}"
    yield f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {template} TO {template}"


HERE = "n.nspname = %(schema)s"
TABLE = "format('%%I.%%I', n.nspname, c.relname)"
TABLES = f"pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND {HERE} AND c.relkind = 'r'"

COLUMNS = f"""
SELECT c.oid, {TABLE}, concat_ws(' ',
    quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN
        'COLLATE ' || (SELECT format('%%I.%%I', ns.nspname, co.collname) FROM pg_collation co
                       JOIN pg_namespace ns ON ns.oid = co.collnamespace WHERE co.oid = a.attcollation) END,
    CASE WHEN nn.conname IS NOT NULL THEN format('CONSTRAINT %%I NOT NULL', nn.conname)
         WHEN a.attnotnull THEN 'NOT NULL' END,
    CASE a.attidentity WHEN 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
                       WHEN 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY' END,
    CASE WHEN a.attgenerated <> '' THEN
             format('GENERATED ALWAYS AS (%%s) ', pg_get_expr(d.adbin, d.adrelid))
             || CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END
         WHEN d.adbin IS NOT NULL THEN 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END)
FROM {TABLES} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_constraint nn ON nn.conrelid = c.oid AND nn.contype = 'n' AND nn.conkey = ARRAY[a.attnum]
ORDER BY c.relname, a.attnum
"""

CONSTRAINTS = f"""
SELECT c.oid, nullif(k.confrelid, 0), format('CONSTRAINT %%I %%s', k.conname, pg_get_constraintdef(k.oid))
FROM {TABLES} JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype::text = ANY(%(kinds)s)
ORDER BY c.relname, k.contype, k.conname
"""

INDEXES = f"""
SELECT pg_get_indexdef(i.indexrelid) FROM {TABLES} JOIN pg_index i ON i.indrelid = c.oid
WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k
                  WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY i.indexrelid::regclass::text
"""

TRIGGERS = f"""
SELECT pg_get_triggerdef(g.oid) FROM {TABLES} JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
ORDER BY g.tgrelid::regclass::text, g.tgname
"""

FUNCTIONS = f"""
SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND {HERE}
ORDER BY p.oid::regprocedure::text
"""

FILLABLE = f"""
SELECT {TABLE}, (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND a.attidentity = '' AND a.attgenerated = '')
FROM {TABLES} ORDER BY c.relname
"""

GUARDED = f"""
SELECT {TABLE},
    EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname LIKE 'append\\_only%%')
FROM {TABLES} WHERE c.relname <> 'django_migrations' ORDER BY c.relname
"""

# Views, free sequences, types, policies, rules, partitions, statistics, comments, options, disabled triggers
UNKNOWN = f"""
SELECT format('relation %%s (%%s)', c.relname, c.relkind) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND {HERE}
    WHERE c.relkind NOT IN ('r', 'i', 'S') OR c.relispartition OR c.relrowsecurity OR c.relhasrules
       OR c.relhassubclass OR c.reloptions IS NOT NULL OR c.relpersistence <> 'p' OR c.reloftype <> 0
UNION ALL
SELECT format('sequence %%s', c.relname) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND {HERE}
    WHERE c.relkind = 'S' AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
UNION ALL
SELECT format('type %%s', t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND {HERE}
    WHERE t.typrelid = 0 AND t.typelem = 0
UNION ALL
SELECT format('statistics %%s', s.stxname) FROM pg_statistic_ext s
    JOIN pg_namespace n ON n.oid = s.stxnamespace AND {HERE}
UNION ALL
SELECT format('comment on %%s', c.relname) FROM {TABLES}
    JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass
UNION ALL
SELECT format('trigger %%s is not simply enabled', g.tgname) FROM {TABLES}
    JOIN pg_trigger g ON g.tgrelid = c.oid AND g.tgenabled <> 'O'
UNION ALL
SELECT format('constraint %%s is not valid', k.conname) FROM {TABLES}
    JOIN pg_constraint k ON k.conrelid = c.oid AND NOT (k.convalidated AND k.conenforced)
UNION ALL
SELECT format('storage of %%s.%%s', c.relname, a.attname) FROM {TABLES}
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attstorage <> t.typstorage OR a.attcompression <> '' OR a.attstattarget IS NOT NULL
"""
