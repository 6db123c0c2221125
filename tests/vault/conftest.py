"""A Secrets Manager of our own over real HTTP, which a test may take down."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

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
