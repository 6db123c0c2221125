"""Real PostgreSQL for every test: a migrated template database, copied for each worker.

Run by `bin/test`, or by hand: `bin/demo --run --only pg,valkey,moto,stripe,mail --fast -- pytest tests/…`.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import psycopg
import pytest
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from filelock import FileLock
from whitenoise import WhiteNoise

from accounts.hashers import Argon2id

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "proe_template"
LONG = ("journeys", "wall", "workers", "rehearsal", "fifty thousand")  # groups of tests, in this order
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def pytest_configure(config: pytest.Config) -> None:
    if not os.environ.get("DATABASE_URL"):
        pytest.exit("The tests need the stack: bin/test, or see the top of tests/conftest.py.", returncode=2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long groups first, then modules that ask for time: at the end one worker would be alone with them."""
    ranks: dict[Path, int] = {}
    for item in items:
        ranks[item.path] = min(_rank(item), ranks.get(item.path, len(LONG) + 1))
    items.sort(key=lambda item: ranks[item.path])


def _rank(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    if group and group.args[0] in LONG:
        return LONG.index(group.args[0])
    return len(LONG) + (item.get_closest_marker("timeout") is None)


def _admin() -> psycopg.Connection[Any]:
    return psycopg.connect(os.environ["DATABASE_ADMIN_URL"], autocommit=True)


def _with_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def _make_template() -> None:
    """Create and migrate the template database, with two tenants in it, once for all workers."""
    with FileLock(Path(os.environ["DEMO_DIR"]) / "template.lock"), _admin() as admin:
        if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [f"{TEMPLATE}_done"]).fetchone():
            return
        admin.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {TEMPLATE} OWNER proe_owner")
        admin.execute(f"REVOKE ALL ON DATABASE {TEMPLATE} FROM PUBLIC")
        admin.execute(f"GRANT CONNECT ON DATABASE {TEMPLATE} TO proe_app")
        variables = ("DATABASE_URL", "DATABASE_OWNER_URL")
        env = os.environ | {name: _with_database(os.environ[name], TEMPLATE) for name in variables}
        python = [sys.executable, "manage.py"]
        no_aws = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}  # as in docker-compose.yml: migrating needs none
        subprocess.run([*python, "migrate", "-v0"], cwd=ROOT, env=env | no_aws, check=True)
        subprocess.run([sys.executable, "-m", "tests.twins"], cwd=ROOT, env=env, check=True)
        _forget_data_keys()
        admin.execute(f"ALTER DATABASE {TEMPLATE} RENAME TO {TEMPLATE}_done")


def _forget_data_keys() -> None:
    """Leave the twins without data keys, so that tests of the vault may seal under keys of their own."""
    with psycopg.connect(
        _with_database(os.environ["DATABASE_ADMIN_URL"], TEMPLATE), autocommit=True
    ) as admin:
        admin.execute("SET session_replication_role = replica")
        for schema in ("t_alpha", "t_beta"):
            admin.execute(f"DELETE FROM {schema}.vault_datakey")
            admin.execute(f"DELETE FROM {schema}.vault_subjectkey")


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """Copy the template for this worker and point the connection at the copy."""
    name = f"proe_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    _make_template()
    with FileLock(Path(os.environ["DEMO_DIR"]) / "template.lock"), _admin() as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}_done OWNER proe_owner")
        admin.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        admin.execute(f"GRANT CONNECT ON DATABASE {name} TO proe_app")
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = _with_database(os.environ["DATABASE_URL"], name)
    os.environ["DATABASE_OWNER_URL"] = _with_database(os.environ["DATABASE_OWNER_URL"], name)
    # Checkpoints are numbered by their database: another's in the same bucket would be missed in this one.
    settings.AUDIT_BUCKET = os.environ["AUDIT_BUCKET"] = new_bucket()
    yield
    with django_db_blocker.unblock():
        wrapper = cast(Any, connection)
        wrapper.close()
        if wrapper.pool:
            wrapper.close_pool()


def new_bucket() -> str:
    """Make an empty bucket with Object Lock, and return its name."""
    name = f"test-{uuid4().hex}"
    s3 = boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL, region_name=settings.AWS_DEFAULT_REGION)
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@contextmanager
def _unblocked(django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            connection.close()


@pytest.fixture(autouse=True)
def _apart() -> None:
    """Each test has a cache of its own, and loggers that no other test has switched off."""
    prefix = uuid4().hex
    settings.CACHES["default"]["KEY_PREFIX"] = prefix
    caches["default"].key_prefix = prefix
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture(autouse=True, scope="session")
def _static_files_once() -> Iterator[None]:
    """Each test client is a site of its own that looks at every static file: here only the first one does."""
    scan = WhiteNoise.update_files_dictionary
    known: dict[Any, dict[str, Any]] = {}

    def scan_once(site: WhiteNoise, root: str, prefix: str) -> None:
        kind = (root, prefix, site.max_age, site.allow_all_origins, site.charset)
        if kind not in known:
            before, site.files = site.files, {}
            scan(site, root, prefix)
            known[kind], site.files = site.files, before
        site.files.update(known[kind])

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(WhiteNoise, "update_files_dictionary", scan_once)
        yield


@pytest.fixture(autouse=True)
def _cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash by the same Argon2id for next to nothing, unless the test is about what it costs."""
    if "full_hashes" not in request.keywords:
        monkeypatch.setattr(Argon2id, "time_cost", 1)
        monkeypatch.setattr(Argon2id, "memory_cost", 8)


@pytest.fixture
def now() -> datetime:
    """The instant that tests live in: Monday, 2026-11-23, 09:30 UTC."""
    return NOW


@pytest.fixture
def tenant(db: None) -> Iterator[Any]:
    """The tenant `alpha` (DE, EUR), entered; all is rolled back."""
    from tenants.context import enter
    from tenants.directory import tenant_of_slug

    alpha = tenant_of_slug("alpha")
    with enter(alpha):
        yield alpha


@pytest.fixture
def two_tenants(db: None) -> tuple[Any, Any]:
    """`alpha` and `beta`; neither entered; all is rolled back."""
    from tenants.directory import tenant_of_slug

    return tenant_of_slug("alpha"), tenant_of_slug("beta")


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database for tests that commit: threads, kills, races. They make tenants of their own."""
    with _unblocked(django_db_blocker):
        yield


@pytest.fixture
def fresh_tenant(committed: None) -> Iterator[Any]:
    """A new committed tenant of its own, entered."""
    from tenants.context import enter
    from tests.twins import make

    tenant = make(f"x{os.urandom(5).hex()}", name="Fresh Hosting")
    with enter(tenant):
        yield tenant


@pytest.fixture
def actor() -> Any:
    from audit.actors import Actor

    return Actor(kind="user", id="1", label="Tester", ip="192.0.2.1", user_agent="pytest")
