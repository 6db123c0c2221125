"""What a tenant's pages look like: its colour as a stylesheet, its logo as a picture."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import condition, require_safe

from billing.models import BillingSettings
from billing.pdf.images import logo_svg

# Drawn by the browser as a picture only, even when somebody opens its address by itself.
_LOGO_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


def _colour(request: HttpRequest) -> str:
    return BillingSettings.objects.values_list("brand_colour", flat=True).get()


def _colour_tag(request: HttpRequest) -> str:
    return f'"{_colour(request)}"'


@require_safe
@condition(etag_func=_colour_tag)
def brand_css(request: HttpRequest) -> HttpResponse:
    """The tenant's colour; every shade of its pages derives from it."""
    return _kept(HttpResponse(f":root{{--brand:{_colour(request)}}}", content_type="text/css"))


@require_safe
def brand_logo(request: HttpRequest) -> HttpResponse:
    """The tenant's logo, made harmless; 404 when it has none."""
    logo = BillingSettings.objects.values_list("logo", flat=True).get()
    drawn = logo_svg(bytes(logo)) if logo else ""
    if not drawn:
        raise Http404("This tenant has no logo.")
    response = HttpResponse(drawn, content_type="image/svg+xml")
    response["Content-Security-Policy"] = _LOGO_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return _kept(response)


def _kept(response: HttpResponse) -> HttpResponse:
    """Let browsers keep it, and ask whether it changed."""
    patch_cache_control(response, public=True, max_age=0, must_revalidate=True)
    return response
