"""The stand-in for AWS remembers what was put into it, over a restart and a sudden end."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from sandbox.aws.journal import changes_something
from sandbox.stack.parts import answers
from sandbox.stack.place import ROOT
from sandbox.stack.ports import choose_free

KEY, PDF = bytes(range(32)), b"%PDF\x00\xff" * 40_000


class Server:
    """The server on a state file of its own, started and stopped at will."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.ports = choose_free()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['moto']}"

    def start(self) -> None:
        port = str(self.ports["moto"])
        command = [sys.executable, "-m", "sandbox.aws", "--port", port, "--state", str(self.state)]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        until = time.monotonic() + 30
        while not answers(f"{self.url}/moto-api/"):
            assert time.monotonic() < until
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        self.process.wait(10)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "aws.jsonl")
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_secrets_and_objects_are_there_after_a_restart(server: Server, ending: int) -> None:
    secrets, s3 = server.client("secretsmanager"), server.client("s3")
    secrets.create_secret(Name="proecommerce/kek", SecretBinary=b"first")
    secrets.put_secret_value(SecretId="proecommerce/kek", SecretBinary=KEY)
    versions = secrets.list_secret_version_ids(SecretId="proecommerce/kek")["Versions"]
    s3.create_bucket(Bucket="documents")
    s3.put_object(Bucket="documents", Key="a/ö %2f.pdf", Body=PDF, Metadata={"under_score": "1"})
    s3.put_object(Bucket="documents", Key="gone", Body=b"x")
    s3.delete_object(Bucket="documents", Key="gone")
    server.stop(ending)
    server.start()
    assert secrets.get_secret_value(SecretId="proecommerce/kek")["SecretBinary"] == KEY
    again = secrets.list_secret_version_ids(SecretId="proecommerce/kek")["Versions"]
    assert {version["VersionId"] for version in again} == {version["VersionId"] for version in versions}
    kept = s3.get_object(Bucket="documents", Key="a/ö %2f.pdf")
    assert kept["Body"].read() == PDF
    assert kept["Metadata"] == {"under_score": "1"}
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="documents")["Contents"]] == ["a/ö %2f.pdf"]


def test_a_line_that_was_cut_off_is_dropped(server: Server) -> None:
    secrets = server.client("secretsmanager")
    secrets.create_secret(Name="one", SecretString="1")
    server.stop()
    with server.state.open("a") as file:
        file.write('{"environ": {"REQUEST_METHOD": "PO')
    server.start()
    assert secrets.get_secret_value(SecretId="one")["SecretString"] == "1"
    secrets.create_secret(Name="two", SecretString="2")
    server.stop()
    server.start()
    assert secrets.get_secret_value(SecretId="two")["SecretString"] == "2"


def test_reading_is_not_remembered(server: Server) -> None:
    secrets, s3 = server.client("secretsmanager"), server.client("s3")
    secrets.create_secret(Name="one", SecretString="1")
    s3.create_bucket(Bucket="documents")
    before = server.state.stat().st_size
    secrets.get_secret_value(SecretId="one")
    secrets.list_secrets()
    s3.list_objects_v2(Bucket="documents")
    with pytest.raises(secrets.exceptions.ResourceExistsException):
        secrets.create_secret(Name="one", SecretString="other")
    assert server.state.stat().st_size == before


def test_only_changes_count() -> None:
    target = "HTTP_X_AMZ_TARGET"
    post = {"REQUEST_METHOD": "POST", "PATH_INFO": "/"}
    assert changes_something(post | {target: "secretsmanager.CreateSecret"})
    assert changes_something({"REQUEST_METHOD": "PUT", "PATH_INFO": "/bucket/key"})
    assert not changes_something(post | {target: "secretsmanager.GetSecretValue"})
    assert not changes_something({"REQUEST_METHOD": "GET", "PATH_INFO": "/bucket/key"})
    assert not changes_something({"REQUEST_METHOD": "POST", "PATH_INFO": "/moto-api/reset"})
