"""Settings that only owners change: who the business is, its invoices, its region, its brand."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.pages import owner_page, plain_owner_page
from billing import colours, configuring, listing
from billing.manage.answers import acting, done, sent, sent_files, show, today
from billing.manage.forms.settings import BrandForm, BusinessForm, InvoicingForm, RegionForm
from billing.models import BillingSettings
from billing.numbering import NumberingError
from tenants.context import current_tenant

REGION = ("name", "country", "time_zone", "currency", "locale")


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def business(request: HttpRequest) -> HttpResponse:
    form = BusinessForm(sent(request), initial=_stands(BusinessForm))
    if form.is_valid() and _saved(request, form, form.cleaned_data):
        return redirect("manage:settings")
    return show(request, "manage/settings/business.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def invoicing(request: HttpRequest) -> HttpResponse:
    """Save the numbering and terms, or only show what the next number would be."""
    form = InvoicingForm(sent(request), initial=_stands(InvoicingForm))
    whole = form.is_valid()
    if whole and "preview" not in request.POST and _saved(request, form, form.cleaned_data):
        return redirect("manage:settings_invoices")
    said = form.cleaned_data if whole else form.initial
    return show(request, "manage/settings/invoicing.html", form, next_number=_next_number(said))


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def region(request: HttpRequest) -> HttpResponse:
    tenant = current_tenant()
    form = RegionForm(sent(request), initial={name: getattr(tenant, name) for name in REGION})
    if form.is_valid() and done(
        form, lambda: configuring.change_tenant(**form.cleaned_data, **acting(request))
    ):
        messages.success(request, "Saved.")
        return redirect("manage:settings_region")
    return show(request, "manage/settings/region.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@plain_owner_page
def brand(request: HttpRequest) -> HttpResponse:
    stands = BillingSettings.objects.only("brand_colour", "logo_type").get()
    form = BrandForm(sent(request), sent_files(request), initial={"brand_colour": stands.brand_colour})
    if form.is_valid():
        changes: dict[str, Any] = {"brand_colour": form.cleaned_data["brand_colour"]}
        if form.cleaned_data["logo"]:
            changes["logo"], changes["logo_type"] = form.cleaned_data["logo"]
        if _saved(request, form, changes):
            return redirect("manage:settings_brand")
    colour = stands.brand_colour
    ratio = f"{colours.contrast(colour, colours.brand(colour).on_fill):.1f}"
    context = {"has_logo": bool(stands.logo_type), "shades": colours.brand(colour), "ratio": ratio}
    return show(request, "manage/settings/brand.html", form, **context)


@require_POST
@plain_owner_page
def remove_logo(request: HttpRequest) -> HttpResponse:
    configuring.change_settings(logo=None, logo_type="", **acting(request))
    messages.success(request, "The logo is taken out.")
    return redirect("manage:settings_brand")


def _stands(form: type[BusinessForm | InvoicingForm]) -> dict[str, Any]:
    """The settings that the form is about, as they are."""
    row: dict[str, Any] = BillingSettings.objects.values(*form.base_fields).get()
    return row


def _saved(request: HttpRequest, form: Any, changes: dict[str, Any]) -> bool:
    """Save through the rule; on refusal the form says why."""
    if not done(form, lambda: configuring.change_settings(**changes, **acting(request))):
        return False
    messages.success(request, "Saved.")
    return True


def _next_number(said: Mapping[str, Any]) -> str:
    try:
        return listing.next_number(str(said["number_format"]), str(said["number_prefix"]), today())
    except NumberingError:
        return ""
