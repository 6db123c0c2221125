"""The hosts that lead to the business: names of its own, their proofs, the primary one. Owners only."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.factors import people_with_passkeys
from accounts.pages import owner_page, plain_owner_page
from billing.manage.answers import acting, sent, show
from tenants import claiming, proving, watching
from tenants.context import current_tenant
from tenants.directory import home_host
from tenants.errors import HostRefused, HostUnknown


class HostForm(forms.Form):
    """A name of the business's own."""

    hostname = forms.CharField(
        label="Hostname",
        max_length=300,
        help_text="A name of a domain that is yours, like billing.example.com.",
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off", "inputmode": "url"}
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def index(request: HttpRequest) -> HttpResponse:
    """The hosts and the open claims; POST claims another name."""
    form = HostForm(sent(request))
    if form.is_valid():
        try:
            proof = claiming.claim(form.cleaned_data["hostname"], **acting(request))
        except HostRefused as refused:
            form.add_error("hostname", str(refused))
        else:
            messages.success(request, f"{proof.hostname} is on the list. Now set its records.")
            return redirect("manage:hosts")
    return show(request, "manage/settings/hosts.html", form, **_standing())


@require_POST
@plain_owner_page
def look_again(request: HttpRequest, proof_id: UUID) -> HttpResponse:
    said = "Looking for the proof. Load this page again soon."
    return _done(request, lambda: claiming.look_again(proof_id, **acting(request)), said)


@require_POST
@plain_owner_page
def withdraw(request: HttpRequest, proof_id: UUID) -> HttpResponse:
    return _done(request, lambda: claiming.withdraw(proof_id, **acting(request)), "The name is off the list.")


@require_POST
@owner_page
def make_primary(request: HttpRequest, host_id: UUID) -> HttpResponse:
    said = "Links in mails lead to that host from now on. The others lead here as well."
    return _done(request, lambda: claiming.make_primary(host_id, **acting(request)), said)


@require_POST
@owner_page
def remove(request: HttpRequest, host_id: UUID) -> HttpResponse:
    return _done(request, lambda: claiming.remove(host_id, **acting(request)), "The host is taken out.")


def _done(request: HttpRequest, change: Any, said: str) -> HttpResponse:
    try:
        change()
    except HostUnknown as unknown:
        raise Http404 from unknown
    except HostRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, said)
    return redirect("manage:hosts")


def _away(people: int) -> str:
    """What taking the host out does."""
    says = "Links that lead to it stop working, and somebody else who proves the name may have it."
    if people:
        who = "1 person has" if people == 1 else f"{people} people have"
        says += f" {who} passkeys that work only there: those are removed, and whose they were is told."
    return says


def _standing() -> dict[str, Any]:
    tenant = current_tenant()
    home = home_host(tenant)
    claims = [
        {
            "proof": proof,
            "txt_name": proving.txt_name(proof.hostname),
            "value": proving.txt_value(proof.token),
            "file_url": f"http://{proof.hostname}{claiming.FILE_PATH}",
            "is_waiting": proof.state == proof.State.WAITING,
        }
        for proof in claiming.claims_of(tenant)
    ]
    lost = {
        proof.hostname: {
            "proof": proof,
            "txt_name": proving.txt_name(proof.hostname),
            "value": proving.txt_value(proof.token),
        }
        for proof in watching.proven_of(tenant)
        if proof.missing_since
    }
    held = people_with_passkeys()
    hosts = [
        {
            "host": host,
            "is_given": host.hostname == home,
            "lost": lost.get(host.hostname),
            "away": _away(held.get(host.hostname, 0)),
        }
        for host in claiming.hosts_of(tenant)
    ]
    return {"hosts": hosts, "claims": claims, "home": home}
