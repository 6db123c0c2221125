"""Which address the audit record names when proxies stand before the site."""

import pytest
from django.test import RequestFactory

from accounts.acting import origin_of

PROXY = "10.0.0.7"


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, "203.0.113.9", PROXY),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.8", "203.0.113.9"),
        (2, "203.0.113.9", PROXY),
        (3, "198.51.100.1, 203.0.113.9", PROXY),
        (1, "", PROXY),
        (1, "nobody", PROXY),
        (1, "203.0.113.9, <script>", PROXY),
        (1, "203.0.113.9,", PROXY),
    ],
)
def test_the_address_is_the_one_that_the_outermost_trusted_proxy_saw(
    settings: object, hops: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = hops  # type: ignore[attr-defined]
    request = RequestFactory().get("/", REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=forwarded)
    assert origin_of(request)[0] == address
