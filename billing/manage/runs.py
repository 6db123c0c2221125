"""Pages about invoice runs: what they did, when the next one comes, and one at once."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import page_for
from accounts.permissions import may_run, may_see_figures
from billing import listing
from billing.manage.answers import acting, page
from billing.models import BillingSettings
from billing.paging import Place
from billing.run_asking import ask_run
from tenants.context import current_tenant


@require_safe
@page_for(may_see_figures)
def index(request: HttpRequest) -> HttpResponse:
    rows = listing.runs(Place.of(request.GET))
    settings = BillingSettings.objects.only("days_ahead").get()
    return page(
        request,
        "manage/runs/index.html",
        page=rows,
        next_run_at=current_tenant().next_run_at,
        days_ahead=settings.days_ahead,
    )


@require_POST
@page_for(may_run)
def run_now(request: HttpRequest) -> HttpResponse:
    ask_run(**acting(request))
    messages.success(request, "The run has been asked for. It bills what is due, and nothing twice.")
    return redirect("manage:runs")
