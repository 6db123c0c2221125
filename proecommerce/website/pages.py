"""Pages of the public host; the policy and the contact form have modules of their own."""

from csp.decorators import csp_update
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts import humans
from accounts.acting import actor_of
from accounts.onboarding import sign_up
from billing import connecting
from billing.errors import Refused
from operations.status import status
from proecommerce.website.forms import SignUpForm
from tenants import clock, limits
from tenants.directory import site_url, tenant_of_schema
from tenants.errors import SlugRefused, SlugTaken
from tenants.models import Tenant
from tenants.throttling import SIGN_UP


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "public/home.html")


def plans(request: HttpRequest) -> HttpResponse:
    return render(request, "public/plans.html")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    return render(request, "public/terms.html")


@require_safe
def status_page(request: HttpRequest) -> HttpResponse:
    """How the parts are, as looked at within the last half minute."""
    return render(request, "public/status.html", {"status": status(now=clock.wall())})


@sensitive_post_parameters("password")
@csp_update({"form-action": [settings.SITE_URL.replace("://", "://*.", 1)]})  # it leads on to the new host
def sign_up_page(request: HttpRequest) -> HttpResponse:
    """Make a tenant from the form and lead its owner to the log-in of the new host."""
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and humans.passes(request, form):
        data = form.cleaned_data
        limits.spend(request, SIGN_UP, account=data["email"])
        try:
            made = sign_up(
                form.new_tenant(),
                owner=data["email"],
                name=data["name"],
                password=data["password"],
                actor=actor_of(request),
                now=clock.now(),
            )
        except (SlugTaken, SlugRefused) as refused:
            form.add_error("slug", str(refused))
        else:
            return HttpResponseRedirect(made.next_url)
    return render(request, "public/sign_up.html", {"form": form}, status=422 if form.is_bound else 200)


def health(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the database answers; for the load balancer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def stripe_callback(request: HttpRequest) -> HttpResponse:
    """Lead an owner on from Stripe to the tenant of the signed state; that host checks the session."""
    try:
        tenant = tenant_of_schema(connecting.schema_of_state(request.GET.get("state", "")))
    except (Refused, Tenant.DoesNotExist):
        return render(request, "400.html", status=400)
    path = reverse("manage:stripe_callback", urlconf=settings.ROOT_URLCONF)
    return HttpResponseRedirect(f"{site_url(tenant)}{path}?{request.GET.urlencode()}")
