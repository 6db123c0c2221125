"""Pages about subscriptions."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pages import page_for
from accounts.permissions import may_bill, may_see_customers
from billing import listing, previewing, subscribing, trail
from billing.errors import Refused
from billing.manage.answers import acting, attempt, done, is_narrowed, narrowing, page, sent, show, today
from billing.manage.choosing import choose_customer, chosen_customer
from billing.manage.forms.subscriptions import CancelForm, PauseForm, SubscriptionFilter, SubscriptionForm
from billing.models import BillingSettings, Subscription
from billing.paging import Place

TABS = [("All", ""), *((label, value) for value, label in Subscription.Status.choices if value != "pending")]


@require_safe
@page_for(may_see_customers)
def index(request: HttpRequest) -> HttpResponse:
    form = SubscriptionFilter(request.GET)
    asked = narrowing(form)
    wanted = listing.SubscriptionFilter(
        search=asked["q"] or "",
        status=asked["status"] or "",
        cycle=asked["cycle"] or "",
        customer=asked["customer"],
    )
    rows = listing.subscriptions(wanted, Place.of(request.GET))
    filtered = is_narrowed(form)
    return page(
        request, "manage/subscriptions/index.html", page=rows, form=form, filtered=filtered, tabs=TABS
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def new(request: HttpRequest) -> HttpResponse:
    customer = chosen_customer(request)
    if customer is None:
        return choose_customer(request, "subscription")
    prices = listing.offered_prices(customer.currency)
    form = SubscriptionForm(sent(request), prices=prices, initial={"started_on": today()})
    if form.is_valid():
        made = attempt(form, lambda: subscribing.subscribe(customer, **form.cleaned_data, **acting(request)))
        if made:
            messages.success(request, f"{customer} is subscribed.")
            return redirect("manage:subscription", made.pk)
    return show(request, "manage/subscriptions/form.html", form, customer=customer, prices=prices)


@require_safe
@page_for(may_see_customers)
def detail(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    subscription = _load(subscription_id)
    days_ahead = BillingSettings.objects.values_list("days_ahead", flat=True).get()
    return page(
        request,
        "manage/subscriptions/detail.html",
        subscription=subscription,
        upcoming=previewing.upcoming(subscription, days_ahead=days_ahead, today=today()),
        billed=listing.billed_lines(subscription),
        history=trail.history("subscription", subscription.pk),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def cancel(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    subscription = _load(subscription_id)
    form = CancelForm(sent(request))
    if form.is_valid() and done(
        form, lambda: subscribing.cancel(subscription, **form.cleaned_data, **acting(request))
    ):
        messages.success(request, "The subscription is cancelled. Nothing more will be billed for it.")
        return redirect("manage:subscription", subscription.pk)
    return show(request, "manage/subscriptions/cancel.html", form, subscription=subscription)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def pause(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    subscription = _load(subscription_id)
    form = PauseForm(sent(request))
    if form.is_valid() and done(
        form, lambda: subscribing.pause(subscription, **form.cleaned_data, **acting(request))
    ):
        messages.success(request, "The subscription is paused. Nothing is billed until you resume it.")
        return redirect("manage:subscription", subscription.pk)
    return show(request, "manage/subscriptions/pause.html", form, subscription=subscription)


@require_POST
@page_for(may_bill)
def resume(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    subscription = _load(subscription_id)
    try:
        subscribing.resume(subscription, **acting(request))
        messages.success(request, "The subscription runs again.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("manage:subscription", subscription.pk)


def _load(subscription_id: UUID) -> Subscription:
    rows = Subscription.objects.select_related("customer", "price__product")
    return get_object_or_404(rows, pk=subscription_id)
