"""Pages about products and their prices."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.confirming import confirmed_change
from accounts.pages import page_for
from accounts.permissions import may_bill, may_see_customers
from billing import cataloguing, listing, trail
from billing.manage.answers import acting, attempt, done, is_narrowed, narrowing, page, sent, show
from billing.manage.forms.catalog import PriceForm, ProductChangeForm, ProductFilter, ProductForm
from billing.models import Price, Product
from billing.paging import Place
from tenants.context import current_tenant

PRODUCT_FIELDS = ("name", "code", "description", "tax_class", "is_active")


@require_safe
@page_for(may_see_customers)
def index(request: HttpRequest) -> HttpResponse:
    form = ProductFilter(request.GET)
    wanted = narrowing(form)
    place = Place.of(request.GET)
    rows = listing.products(search=wanted["q"] or "", active=wanted["active"] or "", place=place)
    return page(request, "manage/products/index.html", page=rows, form=form, filtered=is_narrowed(form))


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def new(request: HttpRequest) -> HttpResponse:
    form = ProductForm(sent(request))
    if form.is_valid():
        made = attempt(form, lambda: cataloguing.create_product(**form.cleaned_data, **acting(request)))
        if made:
            messages.success(request, f"{made} is in your catalog. Now give it a price.")
            return redirect("manage:price_new", made.pk)
    return show(request, "manage/products/form.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def edit(request: HttpRequest, product_id: UUID) -> HttpResponse:
    product = get_object_or_404(Product, pk=product_id)
    form = ProductChangeForm(sent(request), initial={name: getattr(product, name) for name in PRODUCT_FIELDS})
    if form.is_valid() and done(
        form, lambda: cataloguing.change_product(product, **form.cleaned_data, **acting(request))
    ):
        messages.success(request, "Saved.")
        return redirect("manage:product", product.pk)
    return show(request, "manage/products/form.html", form, product=product)


@require_safe
@page_for(may_see_customers)
def detail(request: HttpRequest, product_id: UUID) -> HttpResponse:
    product = get_object_or_404(Product, pk=product_id)
    context: dict[str, Any] = {
        "product": product,
        "prices": listing.prices_of(product),
        "history": trail.history("product", product.pk),
    }
    return page(request, "manage/products/detail.html", **context)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
@confirmed_change
def new_price(request: HttpRequest, product_id: UUID) -> HttpResponse:
    product = get_object_or_404(Product, pk=product_id)
    form = PriceForm(sent(request), initial={"currency": current_tenant().currency})
    if form.is_valid() and done(
        form, lambda: cataloguing.create_price(product, **form.cleaned_data, **acting(request))
    ):
        messages.success(request, "The price is added.")
        return redirect("manage:product", product.pk)
    return show(request, "manage/products/price.html", form, product=product)


@require_POST
@page_for(may_bill)
@confirmed_change
def switch_price(request: HttpRequest, price_id: UUID) -> HttpResponse:
    """Offer a price again, or no longer; subscriptions to it go on either way."""
    price = get_object_or_404(Price, pk=price_id)
    offered = request.POST.get("offered") == "yes"
    cataloguing.change_price(price, is_active=offered, **acting(request))
    messages.success(
        request, "The price is offered again." if offered else "The price is not offered any more."
    )
    return redirect("manage:product", price.product_id)
