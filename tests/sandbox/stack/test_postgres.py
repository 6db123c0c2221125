"""The embedded database: scram, loopback, not as root, and its two log-ins as narrow as promised."""

import json

from tests.sandbox.stack.conftest import run_demo

PROBE = """
import json, os, psycopg
from pathlib import Path
def ask(url, statement):
    try:
        with psycopg.connect(url, autocommit=True) as c:
            cur = c.execute(statement)
            return cur.fetchall() if cur.description else "done"
    except psycopg.Error as e:
        return str(e).splitlines()[0]
app, owner, admin = (os.environ[f"DATABASE_{n}"] for n in ("URL", "OWNER_URL", "ADMIN_URL"))
wrong = app.replace("proe_app:", "proe_app:x")
data = ask(admin, "show data_directory")[0][0]
print(json.dumps({
    "app creates a table": ask(app, "create table public.t (n int)"),
    "app creates a temporary table": ask(app, "create temp table t (n int)"),
    "app creates a role": ask(app, "create role r"),
    "owner creates a table": ask(owner, "create table public.o (n int)"),
    "app reads the owner's table": ask(app, "select * from public.o"),
    "owner creates a role": ask(owner, "create role t_x"),
    "wrong password": ask(wrong, "select 1"),
    "superusers": ask(admin, "select rolname from pg_roles where rolsuper"),
    "app inherits": ask(admin, "select rolinherit from pg_roles where rolname = 'proe_app'"),
    "listens": ask(admin, "show listen_addresses"),
    "sockets": ask(admin, "show unix_socket_directories"),
    "encryption": ask(admin, "show password_encryption"),
    "methods": ask(admin, "select distinct auth_method from pg_hba_file_rules where auth_method is not null"),
    "fsync": ask(admin, "show fsync"),
    "collation": ask(admin, "select datlocprovider, datlocale from pg_database where datname = 'proe'"),
    "runs as": Path(data).stat().st_uid,
    "we are": os.geteuid(),
}))
"""


def test_log_ins_may_do_what_they_should_and_no_more() -> None:
    outcome = run_demo("--only", "pg", "--fast", "--run", "python", "-c", PROBE)
    seen = json.loads(outcome.out)
    assert seen["app creates a table"] == "permission denied for schema public"
    assert "permission denied" in seen["app creates a temporary table"]
    assert seen["app creates a role"] == "permission denied to create role"
    assert seen["owner creates a table"] == "done"
    assert "permission denied" in seen["app reads the owner's table"]
    assert seen["owner creates a role"] == "done"
    assert "password authentication failed" in seen["wrong password"]
    assert seen["superusers"] == [["postgres"]]
    assert seen["app inherits"] == [[False]]
    assert seen["listens"] == [["127.0.0.1"]]
    assert seen["sockets"] == [[""]]
    assert seen["encryption"] == [["scram-sha-256"]]
    assert seen["methods"] == [["scram-sha-256"]]
    assert seen["fsync"] == [["off"]]
    assert seen["collation"] == [["b", "C.UTF-8"]]
    assert seen["runs as"] != 0


def test_without_fast_the_database_waits_for_the_disk() -> None:
    probe = "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL'])\n"
    probe += "print([c.execute('show ' + n).fetchone()[0] for n in ('fsync', 'synchronous_commit')])"
    assert run_demo("--only", "pg", "--run", "python", "-c", probe).out == "['on', 'on']\n"
