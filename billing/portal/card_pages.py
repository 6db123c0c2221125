"""Saved cards: which there are, which one is charged by itself, and whether any is."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.acting import actor_of
from accounts.permissions import may_change_cards, may_remove_cards, may_see_cards
from billing import cards, customer_queries
from billing.errors import Refused
from billing.models import PaymentMethod
from billing.periods import local_date
from billing.portal.access import CustomerRequest, customer_page
from billing.templatetags.portal_words import card_name
from tenants import clock


@require_safe
@customer_page(may_see_cards)
def cards_page(request: CustomerRequest) -> HttpResponse:
    """The saved cards and autopay, with what it would charge next."""
    customer = request.customer
    saved = customer_queries.cards(customer)
    today = local_date(clock.now(), request.tenant.zone)
    context = {
        "cards": saved,
        "card": next((each for each in saved if each.is_default), None),
        "autopay": customer_queries.autopay_of(customer),
        "charge": customer_queries.next_charge(customer, today=today),
        "takes_cards": customer_queries.takes_cards(),
        "today": today,
        "month": (today.year, today.month),
    }
    return render(request, "portal/cards.html", context)


@require_POST
@customer_page(may_change_cards, confirms=True)
def card_default_page(request: CustomerRequest, card_id: UUID) -> HttpResponse:
    card = _card(request, card_id)
    try:
        cards.choose(card.pk, request.customer, actor=actor_of(request), now=clock.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{card_name(card)} is your default card now.")
    return redirect("portal:cards")


@require_POST
@customer_page(may_remove_cards)
def card_remove_page(request: CustomerRequest, card_id: UUID) -> HttpResponse:
    card = _card(request, card_id)
    had_autopay = customer_queries.autopay_of(request.customer).on
    try:
        cards.remove(card.pk, request.customer, actor=actor_of(request), now=clock.now())
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("portal:cards")
    messages.success(request, f"{card_name(card)} was removed.")
    if had_autopay and not customer_queries.autopay_of(request.customer).on:
        messages.warning(request, "Autopay is off now: there is no other card that it could charge.")
    return redirect("portal:cards")


@require_POST
@customer_page(may_change_cards, confirms=True)
def autopay_page(request: CustomerRequest) -> HttpResponse:
    """Turn autopay on or off: `on` is "1" or "0", and nothing else."""
    wanted = {"1": True, "0": False}.get(request.POST.get("on", ""))
    if wanted is None:
        return redirect("portal:cards")
    try:
        cards.set_autopay(request.customer, on=wanted, actor=actor_of(request), now=clock.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "Autopay is on." if wanted else "Autopay is off. You pay each invoice.")
    return redirect("portal:cards")


def _card(request: CustomerRequest, card_id: UUID) -> PaymentMethod:
    try:
        return customer_queries.card(request.customer, card_id)
    except PaymentMethod.DoesNotExist as error:
        raise Http404 from error
