"""The real Caddy with the Caddyfile of production: certificates for hosts that lead to a tenant only."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest

from tenants import claiming
from tenants.context import enter_public
from tenants.models import Host
from tests.conftest import ROOT

PROGRAM = shutil.which("caddy")
SITE = "proe.example"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Caddy is not installed: apt-get install caddy")


@dataclass
class Front:
    """Caddy in front of the site, and the tenant that stands there."""

    tenant: Any
    own: str
    port: int
    plain: int
    trust: ssl.SSLContext

    def get(self, host: str, path: str, **headers: str) -> HTTPResponse:
        """Ask over TLS for a host by its name, from this machine."""
        return self.get_from("127.0.0.1", host, path, **headers)

    def get_from(self, address: str, host: str, path: str, **headers: str) -> HTTPResponse:
        with (
            socket.create_connection((address, self.port), timeout=10) as plain,
            self.trust.wrap_socket(plain, server_hostname=host) as secure,
        ):
            lines = [
                f"GET {path} HTTP/1.1",
                f"Host: {host}",
                "Connection: close",
                "Accept-Encoding: identity",
            ]
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
            secure.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            response = HTTPResponse(secure)
            response.begin()
            response.body = response.read()  # type: ignore[attr-defined]
            return response


@pytest.fixture
def front(fresh_tenant: Any, actor: Any, now: Any, tmp_path: Path) -> Iterator[Front]:
    own = f"pay.{fresh_tenant.slug}.example"
    with enter_public():
        Host.objects.create(
            hostname=own, tenant=fresh_tenant, schema_name=fresh_tenant.schema_name, created_at=now
        )
    claiming.claim(f"claimed.{fresh_tenant.slug}.example", actor=actor, now=now)
    web, plain, secure, ask = (free_port() for _ in range(4))
    env = os.environ | {
        "SITE_URL": f"https://{SITE}", "PAY_URL": f"https://pay.{SITE}", "TRUSTED_PROXIES": "1",
        "SITE_HOST": SITE, "WEB": f"127.0.0.1:{web}", "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }  # fmt: skip
    # The file of production; only the authority, the ports and the administration differ.
    text = (ROOT / "deploy" / "Caddyfile").read_text().replace("127.0.0.1:9123", f"127.0.0.1:{ask}")
    own_options = (
        f"local_certs\n\tskip_install_trust\n\tadmin off\n\thttp_port {plain}\n\thttps_port {secure}"
    )
    assert "email {$ACME_EMAIL}" in text
    (tmp_path / "Caddyfile").write_text(text.replace("email {$ACME_EMAIL}", own_options))
    granian = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(web),
        "--no-ws", "proecommerce.wsgi:application",
    ]  # fmt: skip
    caddy = [str(PROGRAM), "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]
    running: list[subprocess.Popen[bytes]] = []
    with (tmp_path / "log").open("wb") as log:

        def start(command: list[str]) -> None:
            options = {"cwd": ROOT, "env": env, "stdout": log, "stderr": subprocess.STDOUT}
            running.append(subprocess.Popen(command, start_new_session=True, **options))  # type: ignore[call-overload]

        try:
            start(granian)
            start(caddy)
            root = tmp_path / "caddy" / "pki" / "authorities" / "local" / "root.crt"
            wait_for(lambda: root.exists() and is_well(web), tmp_path / "log")
            yield Front(fresh_tenant, own, secure, plain, ssl.create_default_context(cafile=str(root)))
        finally:
            for process in running:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                process.wait(20)


def test_hosts_that_lead_to_a_tenant_get_a_certificate_and_no_others_do(front: Front) -> None:
    given = f"{front.tenant.slug}.localhost"
    for host in (given, front.own):
        page = front.get(host, "/log-in/")
        assert page.status == 200, host
        assert page.headers["Strict-Transport-Security"].startswith("max-age=63072000")
        assert "Caddy" not in str(page.headers)
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for host in (f"claimed.{front.tenant.slug}.example", "unknown.example", f"x.{front.own}"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            front.get(host, "/")
    assert front.get(SITE, "/").status == 200
    asking = f"/internal/certificate/?domain={front.own}"
    assert front.get(SITE, asking).status == 200  # this machine is the proxy's own
    outside = address_of_this_machine()
    if outside is not None:
        assert front.get_from(outside, SITE, asking, X_Forwarded_For="127.0.0.1").status == 404
    with enter_public():
        Host.objects.filter(hostname=front.own).delete()
    assert front.get(front.own, "/log-in/").status == 404  # at once, though its certificate is still there


def test_people_are_led_from_http_to_https_and_programs_refused(front: Front) -> None:
    address, host = f"http://127.0.0.1:{front.plain}", {"Host": front.own}
    led = httpx.get(f"{address}/log-in/?next=/manage/", headers=host, trust_env=False)
    assert led.status_code == 308 and led.headers["Location"] == f"https://{front.own}/log-in/?next=/manage/"
    sent = httpx.post(f"{address}/webhooks/stripe/", headers=host, json={"id": "evt_1"}, trust_env=False)
    assert sent.status_code == 403 and "Location" not in sent.headers


def address_of_this_machine() -> str | None:
    """An address of ours that is not the loopback, if there is one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        address: str = probe.getsockname()[0]
        return None if address.startswith("127.") else address
    return None


def is_well(port: int) -> bool:
    headers = {"Host": SITE, "X-Forwarded-Proto": "https"}
    with suppress(httpx.HTTPError):
        return (
            httpx.get(f"http://127.0.0.1:{port}/healthz", headers=headers, trust_env=False).status_code == 200
        )
    return False


def wait_for(ready: Any, log: Path, seconds: int = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
