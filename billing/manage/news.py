"""News and offers to those of the customers' people who asked for them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.pages import page_for
from accounts.permissions import may_bill
from billing.manage.answers import acting, sent, show
from billing.manage.forms.news import NewsForm
from privacy import news
from privacy.errors import Refused
from privacy.marketing import NO_SERVER, Offer, has_server
from privacy.models import News

RECENT = 10


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def index(request: HttpRequest) -> HttpResponse:
    """Write, look at it, and send."""
    form = NewsForm(sent(request))
    offer = Offer(**form.cleaned_data) if form.is_valid() else None
    if offer is not None and "send" in request.POST:
        try:
            news.publish(offer, asked_by=str(request.user.pk), **acting(request))
        except Refused as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, "It is on its way to everyone who still wants it.")
            return redirect("manage:news")
    past = News.objects.all()[:RECENT]
    preview = offer if offer is not None and not form.errors else None
    held_up = "" if has_server() else NO_SERVER
    shown = {"reach": news.reach(), "past": past, "preview": preview, "held_up": held_up}
    return show(request, "manage/news.html", form, **shown)
