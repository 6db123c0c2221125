"""The contact form: what a prospect writes is kept, and a person answers it."""

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import humans
from accounts.acting import actor_of
from accounts.humans import HumanForm
from privacy import contacting
from privacy.contacting import Writing
from tenants import clock, limits
from tenants.throttling import DAY, HOUR, Rule, Window

CONTACT = Rule(
    "contact",
    account=(Window(5, DAY),),
    network=(Window(10, HOUR), Window(30, DAY)),
    tenant=(Window(300, HOUR),),
)
LONGEST = 5000


class ContactForm(HumanForm):
    """Who writes, and what."""

    purpose = "contact"

    name = forms.CharField(
        label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        help_text="The answer goes there.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    business = forms.CharField(
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    text = forms.CharField(
        label="Message",
        max_length=LONGEST,
        help_text="Please leave out passwords and card numbers.",
        widget=forms.Textarea(attrs={"rows": 8}),
    )


def contact_page(request: HttpRequest) -> HttpResponse:
    """Show the form, and keep what is sent."""
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and humans.passes(request, form):
        data = form.cleaned_data
        limits.spend(request, CONTACT, account=data["email"])
        writing = Writing(data["name"], data["email"], data["business"], data["text"])
        contacting.receive(writing, actor=actor_of(request), now=clock.now())
        return HttpResponseRedirect(reverse("contact_sent"))
    return render(request, "public/contact.html", {"form": form}, status=422 if form.is_bound else 200)


@require_safe
def contact_sent_page(request: HttpRequest) -> HttpResponse:
    return render(request, "public/contact_sent.html")
