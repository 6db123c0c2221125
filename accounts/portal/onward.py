"""Where a log-in leads, and where it takes place."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from accounts import halfway
from accounts.passkey_gateway import Site
from tenants.context import current_tenant, in_public


def onward(request: HttpRequest, target: str) -> HttpResponse:
    """Lead on to the target, or by way of the second factor where that is still to be shown."""
    if not halfway.is_held(request):
        return HttpResponseRedirect(target)
    halfway.lead_to(request, target)
    return redirect("accounts:second_factor")


def house_name() -> str:
    """Whose pages these are."""
    return "ProEcommerce" if in_public() else current_tenant().name


def site_of(request: HttpRequest) -> Site:
    """The place that passkeys are bound to: this host and this origin, as the tenant's own host row says."""
    host = request.get_host()
    scheme = "https" if settings.SECURE_COOKIES else "http"
    return Site(host.rpartition(":")[0] if ":" in host else host, f"{scheme}://{host}", house_name())
