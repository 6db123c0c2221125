"""Paying an invoice in the portal: the page around the card frame, and what its script asks."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.acting import actor_of
from accounts.permissions import may_change_cards, may_pay
from billing import cards, customer_queries
from billing.errors import Refused
from billing.models import Invoice
from billing.pay import tokens
from billing.portal.access import CustomerRequest, customer_page
from billing.portal.standing import Standing, Step, look_closer, pay, standing_of
from billing.stripe_gateway import StripeError
from tenants import clock

_pay = urlsplit(settings.PAY_URL)
PAY_ORIGIN = f"{_pay.scheme}://{_pay.netloc}"
SETUP = "setup_intent"
frames_card_form = csp_update({"frame-src": [PAY_ORIGIN]})


@require_http_methods(["GET", "HEAD", "POST"])
@frames_card_form
@customer_page(may_pay)
def pay_page(request: CustomerRequest, invoice_id: UUID) -> HttpResponse:
    """Pay one invoice: POST begins or goes on, GET shows where it stands."""
    invoice = _invoice(request, invoice_id)
    if request.method == "POST":
        pay(invoice, actor=actor_of(request), now=clock.now())
        return redirect("portal:pay", invoice_id)
    context = paying_context(request, invoice, standing_of(invoice))
    context |= {
        "pay_url": request.path,
        "status_url": reverse("portal:pay_status", args=[invoice_id]),
        "invoice_url": reverse("portal:invoice", args=[invoice_id]),
    }
    return render(request, "pay/portal.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page(may_pay)
def pay_status_page(request: CustomerRequest, invoice_id: UUID) -> HttpResponse:
    """Where it stands, for the page's script; POST asks Stripe first."""
    return status_answer(request, lambda: _invoice(request, invoice_id))


@require_http_methods(["GET", "HEAD", "POST"])
@frames_card_form
@customer_page(may_change_cards)
def add_card_page(request: CustomerRequest) -> HttpResponse:
    """Save a card without paying; POST shows the card frame."""
    context: dict[str, Any] = {"pay_origin": PAY_ORIGIN, "known": _known_cards(request)}
    if request.method == "POST":
        try:
            setup = cards.begin_setup(request.customer, actor=actor_of(request), now=clock.now())
        except (Refused, StripeError):
            return render(request, "pay/add_card.html", {**context, "failed": True}, status=503)
        request.session[SETUP] = setup.id
        page = request.build_absolute_uri("/")
        context["frame_url"] = tokens.url_of_setup(setup.id, page=page)
    return render(request, "pay/add_card.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page(may_change_cards)
def card_status_page(request: CustomerRequest, known: str) -> HttpResponse:
    """Whether another card is saved than before, for the page's script; POST asks Stripe first."""
    if request.method == "POST" and request.session.get(SETUP):
        cards.look_at_setup(request.session[SETUP], actor=actor_of(request), now=clock.now())
    is_new = _known_cards(request) != known
    state = {"state": "saved" if is_new else "form", "url": reverse("portal:cards") if is_new else ""}
    return JsonResponse(state)


def paying_context(request: HttpRequest, invoice: Invoice, standing: Standing) -> dict[str, Any]:
    """What the page around the card frame shows, in the portal and behind a mailed link alike."""
    payment = standing.payment
    frame_url = ""
    if standing.step == Step.FORM and payment is not None:
        frame_url = tokens.url_of_payment(payment, page=request.build_absolute_uri("/"))
    return {
        "invoice": invoice,
        "step": standing.step.value,
        "payment": payment,
        "frame_url": frame_url,
        "pay_origin": PAY_ORIGIN,
    }


def status_answer(request: HttpRequest, read: Any) -> HttpResponse:
    """The step as JSON; never cached."""
    if request.method == "POST":
        look_closer(read(), actor=actor_of(request), now=clock.now())
    response = JsonResponse({"state": standing_of(read()).step.value})
    response["Cache-Control"] = "no-store"
    return response


def _invoice(request: CustomerRequest, invoice_id: UUID) -> Invoice:
    try:
        return customer_queries.invoice(request.customer, invoice_id)
    except Invoice.DoesNotExist as error:
        raise Http404 from error


def _known_cards(request: CustomerRequest) -> str:
    newest = customer_queries.cards(request.customer)
    default = next((card.pk.hex for card in newest if card.is_default), "none")
    return f"{len(newest)}-{default}"
