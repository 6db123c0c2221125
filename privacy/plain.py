"""Values as other programs read them: cells of CSV files and literals of SQL. Pure, exact, and safe.

CSV as in RFC 4180, in UTF-8: lines end with CR LF, a cell is quoted where it must be. An empty cell is NULL,
two quotes are the empty text. Nothing is put before values that a spreadsheet might take for a formula: a
copy of data has to be exact. Whoever opens it imports its columns as text; README.txt in the copy says so.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

_ESCAPES = {"\\": "\\\\", "'": "''", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MUST_QUOTE = frozenset('",\r\n')


def as_text(value: Any) -> str:
    """The value as text, the same for people and programs; "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)


def csv_line(values: list[Any]) -> str:
    """One line of a CSV file."""
    return ",".join(_cell(value) for value in values) + "\r\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = as_text(value)
    if not text or _MUST_QUOTE & set(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def sql_name(name: str) -> str:
    """A table's or column's name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def sql_literal(value: Any) -> str:
    """The value as PostgreSQL reads it, whatever its settings; always on one line."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"decode('{bytes(value).hex()}', 'hex')"
    if isinstance(value, UUID | datetime | date):
        return f"'{as_text(value)}'"
    return _sql_text(as_text(value))


def _sql_text(text: str) -> str:
    """Text in quotes; with backslashes or control characters in the form that says so by itself."""
    escaped = "".join(_ESCAPES.get(c) or (f"\\x{ord(c):02x}" if ord(c) < 32 else c) for c in text)
    plain = text.replace("'", "''")
    return f"'{plain}'" if plain == escaped else f"E'{escaped}'"
