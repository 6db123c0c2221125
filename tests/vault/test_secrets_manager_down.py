"""Secrets Manager goes away: what runs goes on without one failed request, what starts says why it cannot."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from tests.tenants.scratch import Scratch
from tests.vault.aws import free_port
from tests.vault.conftest import forget_papers, run_python


@pytest.fixture
def own_aws(papers: Scratch, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The papers' secret in a Secrets Manager that the test may stop."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    monkeypatch.setitem(papers.urls, "AWS_ENDPOINT_URL", f"http://127.0.0.1:{server._port}")
    monkeypatch.setitem(papers.urls, "SECRETS_PREFIX", f"test-down-{server._port}")
    forget_papers(papers)  # the data keys to come are wrapped by that secret
    return server


STARTS = {
    "web": ["-c", "import proecommerce.wsgi"],
    "worker": ["-m", "celery", "-A", "proecommerce", "worker", "--pool", "solo", "--loglevel", "WARNING"],
    "check": ["manage.py", "check", "--deploy", "--fail-level", "ERROR"],
}


def assert_refused(name: str, start: "subprocess.Popen[str]") -> None:
    try:
        out, err = start.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        start.kill()
        raise
    assert start.returncode != 0, f"{name} started without its keys"
    assert "could not be asked to read the secret" in out + err, name
    assert "AWS_ENDPOINT_URL" in out + err, name


@pytest.mark.timeout(240)
def test_what_runs_goes_on_and_what_starts_says_why_it_cannot(
    own_aws: Any, papers: Scratch, tmp_path: Path
) -> None:
    for slug in ("alpha", "beta"):
        filling = run_python(papers, "-m", "tests.vault.rotating", "fill", "30", slug)
        assert filling.wait(60) == 0, filling.stderr.read()  # type: ignore[union-attr]
    stop = tmp_path / "stop"
    load = run_python(papers, "-m", "tests.vault.rotating", "load", str(stop), "alpha", "beta")
    assert load.stdout is not None
    assert load.stdout.readline() == "ready\n"
    try:
        time.sleep(1)
        own_aws.stop()
        before = papers.rows("SELECT count(*) FROM t_alpha.sealed_paper")[0][0]
        starts = {name: run_python(papers, *arguments) for name, arguments in STARTS.items()}
        for name, start in starts.items():
            assert_refused(name, start)
    finally:
        stop.touch()
    out, err = load.communicate(timeout=60)
    found = json.loads(out)
    assert found["failed"] == [], err
    assert set(found["done"]) == {"read", "change", "resave", "create"}
    assert papers.rows("SELECT count(*) FROM t_alpha.sealed_paper")[0][0] > before
