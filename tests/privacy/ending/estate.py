"""Searching everything that the platform keeps for one word: every table, cache, queue and bucket."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psycopg
import redis
from django.conf import settings
from django.db import connection

from sandbox.stack import postgres

COLUMNS = """
SELECT n.nspname, c.relname, a.attname FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', %s) ORDER BY 1, 2, a.attnum
"""


def admin_url() -> str:
    """The database of this worker, as a superuser."""
    url = urlsplit(os.environ["DATABASE_ADMIN_URL"])
    return url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()


def in_database(word: str, schema: str) -> set[tuple[str, str]]:
    """Return in which columns of which tables the word stands: as text, inside JSON, or as bytes."""
    found: set[tuple[str, str]] = set()
    tables: dict[tuple[str, str], list[str]] = {}
    with psycopg.connect(admin_url()) as admin:
        for place, table, column in admin.execute(COLUMNS, [schema]).fetchall():
            tables.setdefault((place, table), []).append(column)
        spellings = [f"%{word}%", f"%{word.encode().hex()}%"]
        for (place, table), columns in tables.items():
            hits = ", ".join(f'bool_or("{c}"::text ILIKE ANY(%(w)s))' for c in columns)
            row = admin.execute(f'SELECT {hits} FROM "{place}"."{table}"', {"w": spellings}).fetchone()
            found |= {(table, column) for column, hit in zip(columns, row or (), strict=True) if hit}
    return found


def in_valkey(word: str) -> list[bytes]:
    """Return the keys of cache and broker that hold the word, or are named by it."""
    return [
        key
        for url in {str(settings.CACHES["default"]["LOCATION"]), settings.BROKER_URL}
        for key, value in _entries(redis.Redis.from_url(url))
        if word.encode() in key + value
    ]


def _entries(client: Any) -> Iterator[tuple[bytes, bytes]]:
    read = {
        b"string": client.get, b"hash": client.hgetall, b"set": client.smembers,
        b"list": lambda key: client.lrange(key, 0, -1), b"zset": lambda key: client.zrange(key, 0, -1),
    }  # fmt: skip
    for key in client.scan_iter(count=1000):
        yield key, repr(read.get(client.type(key), lambda _: b"")(key)).encode()


def s3() -> Any:
    return boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL, region_name="us-east-1")


def in_buckets(word: str) -> list[str]:
    """Return the objects of all buckets that hold the word, or are named by it."""
    client, found = s3(), []
    for bucket in client.list_buckets()["Buckets"]:
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"]):
            for item in page.get("Contents", []):
                body = client.get_object(Bucket=bucket["Name"], Key=item["Key"])["Body"].read()
                if word.encode() in item["Key"].encode() + body:
                    found.append(item["Key"])
    return found


def dump(schema: str, to: Path) -> str:
    """What a backup of this schema holds: everything but the keys of persons."""
    file = to / "backup.sql"
    subprocess.run(
        [str(postgres.binaries() / "pg_dump"), "--data-only", "--schema", schema, "--file", str(file),
         "--exclude-table-data", "*.vault_subjectkey", admin_url()],
        check=True, capture_output=True,
    )  # fmt: skip
    return file.read_text()
