"""The outermost middleware: what every answer carries, whoever made it, and methods that nobody needs."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
YEARS_2 = 63072000
# For answers that no page of ours has made, such as files and errors.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_OFF = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope",
    "hid", "idle-detection", "magnetometer", "microphone", "midi", "picture-in-picture", "screen-wake-lock",
    "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
_OURS = ("fullscreen", "publickey-credentials-get")


class HeadersMiddleware:
    """Adds the headers that an answer lacks; where a page has set its own, that stands."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.always = {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": _permissions(),
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in METHODS:
            response = self.get_response(request)
        else:
            response = HttpResponse(status=405, headers={"Allow": ", ".join(sorted(METHODS))})
        for name, value in self.always.items():
            response.setdefault(name, value)
        if "frame-ancestors 'none'" in response["Content-Security-Policy"]:
            response.setdefault("X-Frame-Options", "DENY")
        # Nothing is kept by default, whatever its address ends in: what may be kept says so itself.
        response.setdefault("Cache-Control", "no-store")
        response.setdefault("Server", "ProEcommerce")
        if settings.SECURE_COOKIES and request.is_secure():
            response["Strict-Transport-Security"] = _strict(request)
        return response


def _strict(request: HttpRequest) -> str:
    """TLS only, for two years; what lies below a tenant's own domain is not ours to bind."""
    host = split_domain_port(request.META.get("HTTP_HOST", ""))[0]
    ours = host in {settings.SITE_HOST, settings.PAY_HOST} or host.endswith(f".{settings.SITE_HOST}")
    return f"max-age={YEARS_2}; includeSubDomains" if ours else f"max-age={YEARS_2}"


def _permissions() -> str:
    pay, script = urlsplit(settings.PAY_URL), urlsplit(settings.STRIPE_JS_URL)
    paying = f'payment=(self "{pay.scheme}://{pay.netloc}" "{script.scheme}://{script.netloc}")'
    return ", ".join([*(f"{name}=()" for name in _OFF), *(f"{name}=(self)" for name in _OURS), paying])
