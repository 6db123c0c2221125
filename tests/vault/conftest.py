"""A Secrets Manager of our own over real HTTP, which a test may take down."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from tests.conftest import ROOT
from tests.tenants.scratch import Scratch, scratch
from tests.vault.aws import REGION, free_port
from vault.keyring import Keyring
from vault.secrets_gateway import SecretsManager


@dataclass
class OwnSecretsManager:
    """The server, a gateway to it, and a name that no other test uses."""

    server: ThreadedMotoServer
    endpoint: str
    store: SecretsManager
    name: str

    def ring(self) -> Keyring:
        """Return a keyring as another process would have it."""
        return Keyring(SecretsManager(region=REGION, endpoint=self.endpoint), self.name)


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[tuple[ThreadedMotoServer, str]]:
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    yield server, f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def aws(moto_endpoint: tuple[ThreadedMotoServer, str], monkeypatch: pytest.MonkeyPatch) -> OwnSecretsManager:
    server, endpoint = moto_endpoint
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    store = SecretsManager(region=REGION, endpoint=endpoint)
    return OwnSecretsManager(server, endpoint, store, f"test-{uuid4().hex}/kek")


SEALED = "tests.vault.settings_sealed"


@pytest.fixture(scope="session")
def papers(django_db_setup: None) -> Iterator[Scratch]:
    """A database of its own with a table of sealed papers in every tenant, and a secret of its own."""
    with scratch() as found:
        found.urls["SECRETS_PREFIX"] = f"test-{uuid4().hex}"
        done = found.manage("migrate", "-v0", settings=SEALED)
        assert done.returncode == 0, done.stderr
        yield found


def run_python(papers: Scratch, *arguments: str) -> "subprocess.Popen[str]":
    """Start a process of its own on the papers' database."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | papers.urls | {"DJANGO_SETTINGS_MODULE": SEALED},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def forget_papers(papers: Scratch) -> None:
    """Empty the tables of papers and of all keys: those of the template are wrapped by another secret's."""
    with papers.owner() as owner:
        for schema in ("t_alpha", "t_beta", "t_crowd", "public"):
            if schema != "public":
                owner.execute(f"DELETE FROM {schema}.sealed_paper".encode())
            for table, trigger in (("datakey", "keep_keys"), ("subjectkey", "keep_subject_keys")):
                for statement in (
                    f"ALTER TABLE {schema}.vault_{table} DISABLE TRIGGER {trigger}",
                    f"DELETE FROM {schema}.vault_{table}",
                    f"ALTER TABLE {schema}.vault_{table} ENABLE TRIGGER {trigger}",
                ):
                    owner.execute(statement.encode())
