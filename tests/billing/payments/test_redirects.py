"""Whatever answers in Stripe's place: our keys go to the address in the settings and to no other."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from billing.stripe_gateway import gateway_of_key
from billing.stripe_gateway.errors import StripeUnavailable

SEEN: list[tuple[str, str]] = []


class Elsewhere(BaseHTTPRequestHandler):
    """Sends whoever asks on to another page of the same server."""

    def do_GET(self) -> None:
        SEEN.append((self.path, self.headers.get("Authorization", "")))
        self.send_response(302 if self.path != "/taken" else 200)
        self.send_header("Location", "/taken")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def elsewhere(settings: Any) -> Iterator[None]:
    SEEN.clear()
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


def test_stripes_client_follows_no_redirect(tenant: Any, elsewhere: None) -> None:
    with pytest.raises(StripeUnavailable):
        gateway_of_key("rk_test_of_the_tenant").account()
    assert [path for path, _ in SEEN] == ["/v1/account"]
