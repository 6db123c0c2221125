"""Tax rates: by country and class of products."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pages import owner_page
from accounts.places import country_choices
from billing import cataloguing
from billing.manage.answers import acting, attempt, page, sent, show
from billing.manage.forms.settings import TaxRateForm
from billing.models import TaxRate
from billing.tax import TaxRule
from tenants.context import current_tenant


@require_safe
@owner_page
def index(request: HttpRequest) -> HttpResponse:
    names = dict(country_choices())
    rates = [
        (rate, names.get(rate.country, rate.country))
        for rate in TaxRate.objects.order_by("country", "tax_class")
    ]
    return page(request, "manage/settings/taxes.html", rates=sorted(rates, key=lambda row: row[1]))


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def new(request: HttpRequest) -> HttpResponse:
    form = TaxRateForm(sent(request), initial={"country": current_tenant().country, "name": "VAT"})
    if _saved(request, form):
        return redirect("manage:taxes")
    return show(request, "manage/settings/tax_form.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def edit(request: HttpRequest, rate_id: UUID) -> HttpResponse:
    rate = get_object_or_404(TaxRate, pk=rate_id)
    stands = {
        "country": rate.country,
        "tax_class": rate.tax_class,
        "name": rate.name,
        "percent": TaxRule(rate.rate_ppm).percent,
    }
    form = TaxRateForm(sent(request), initial=stands)
    for name in ("country", "tax_class"):
        form.fields[name].disabled = True
    if _saved(request, form):
        return redirect("manage:taxes")
    return show(request, "manage/settings/tax_form.html", form, rate=rate)


@require_POST
@owner_page
def remove(request: HttpRequest, rate_id: UUID) -> HttpResponse:
    cataloguing.remove_tax_rate(get_object_or_404(TaxRate, pk=rate_id), **acting(request))
    messages.success(request, "The rate is taken out. From the next invoice on it is not charged.")
    return redirect("manage:taxes")


def _saved(request: HttpRequest, form: TaxRateForm) -> bool:
    if not form.is_valid():
        return False
    data = form.cleaned_data
    rate = {"tax_class": data["tax_class"], "country": data["country"]}
    value = {"name": data["name"], "rate_ppm": data["percent"]}
    if attempt(form, lambda: cataloguing.set_tax_rate(**rate, **value, **acting(request))) is None:
        return False
    messages.success(request, "Saved. It counts from the next invoice on.")
    return True
