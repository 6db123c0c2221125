"""A real server writes its log while it answers, and what is left when it is told to stop."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from operations.models import RequestLog
from tenants.context import enter_public
from tests.conftest import ROOT


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def get(port: int, host: str, path: str) -> int:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    asked.request("GET", path, headers={"Host": host, "User-Agent": "served"})
    return asked.getresponse().status


def until(true: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, log.read_text(errors="replace")[-2000:]
        time.sleep(0.1)


def logged(path: str) -> list[int]:
    with enter_public():
        return list(RequestLog.objects.filter(path=path).order_by("at").values_list("status", flat=True))


def test_granian_writes_the_log_and_loses_nothing_when_it_is_stopped(
    fresh_tenant: Any, tmp_path: Path
) -> None:
    port, host = free_port(), f"{fresh_tenant.slug}.localhost"
    mark, last = f"/{os.urandom(5).hex()}/", f"/{os.urandom(5).hex()}/last/"
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--no-ws", "--blocking-threads", "4", "proecommerce.wsgi:application",
    ]  # fmt: skip

    def is_well() -> bool:
        with suppress(OSError):
            return get(port, "localhost", "/healthz") == 200
        return False

    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        try:
            until(is_well, tmp_path / "log")
            assert get(port, host, mark) == 404
            until(lambda: logged(mark) == [404], tmp_path / "log")
            assert [get(port, host, last) for _ in range(40)] == [404] * 40
        finally:
            server.terminate()
            server.wait(30)
    assert logged(last) == [404] * 40
    with enter_public():
        row = RequestLog.objects.filter(path=last).first()
    assert row is not None
    assert (row.schema_name, row.host) == (fresh_tenant.schema_name, host)
    assert (row.ip, row.user_agent) == ("127.0.0.1", "served")
