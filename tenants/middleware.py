"""From the Host header to the tenant: every request runs inside one schema, or gets 404."""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port

from tenants import security_log
from tenants.context import enter, enter_public
from tenants.directory import tenant_of_host


class TenantMiddleware:
    """Enters the schema that the host names and picks the pages that it has."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = split_domain_port(request.META.get("HTTP_HOST", ""))[0]
        if host == settings.SITE_HOST:
            request.urlconf = settings.PUBLIC_URLCONF  # type: ignore[attr-defined]
            request.tenant = None  # type: ignore[attr-defined]
            with enter_public():
                return self.get_response(request)
        if host == settings.PAY_HOST:
            request.urlconf = settings.PAY_URLCONF  # type: ignore[attr-defined]
            request.tenant = None  # type: ignore[attr-defined]
            with enter_public():
                return self.get_response(request)
        tenant = tenant_of_host(host)
        if tenant is None:
            security_log.note(request, "unknown_host")
            raise Http404("No tenant has this host.")
        request.tenant = tenant  # type: ignore[attr-defined]
        with enter(tenant):
            return self.get_response(request)
