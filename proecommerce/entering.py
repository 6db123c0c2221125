"""The admin's page from which the platform's staff enter a tenant as one of its users."""

from typing import Any
from uuid import UUID

from csp.decorators import csp_update
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import visiting
from accounts.acting import actor_of
from accounts.errors import Refused
from accounts.models import User
from accounts.visiting import Wish
from tenants import clock
from tenants.directory import site_url
from tenants.models import Tenant

LEADS_ON = {"form-action": [settings.SITE_URL.replace("://", "://*.", 1)]}  # to the tenant's host


class EnterForm(forms.Form):
    """As whom, and why."""

    user = forms.ChoiceField(label="As", help_text="You see what this person sees.")
    reason = forms.CharField(
        max_length=500,
        min_length=visiting.REASON_AT_LEAST,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="The owners of the workspace read it in the mail that they get at once.",
    )

    def __init__(self, *args: Any, users: list[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = self.fields["user"]
        assert isinstance(user, forms.ChoiceField)
        user.choices = [
            (str(each.pk), f"{each.name} <{each.email}>, {each.get_role_display().lower()}") for each in users
        ]


@require_http_methods(["GET", "HEAD", "POST"])
@csp_update(LEADS_ON)  # type: ignore[arg-type]  # it says nothing of pages with arguments
def enter_page(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """Ask as whom and why, then lead on to the tenant's host by a link that is good once, for a minute."""
    tenant = get_object_or_404(Tenant, pk=tenant_id)
    form = EnterForm(request.POST or None, users=visiting.visitable(tenant))
    if request.method == "POST" and form.is_valid():
        if not isinstance(request.user, User):
            raise PermissionDenied
        wish = Wish(tenant, UUID(form.cleaned_data["user"]), form.cleaned_data["reason"])
        try:
            token = visiting.allow(wish, staff=request.user, actor=actor_of(request), now=clock.now())
        except Refused as no:
            form.add_error(None, str(no))
        else:
            path = reverse("accounts:visit", args=[token], urlconf=settings.ROOT_URLCONF)
            return HttpResponseRedirect(f"{site_url(tenant)}{path}")
    context = {**admin.site.each_context(request), "tenant_entered": tenant, "form": form}
    context["title"] = f"Enter {tenant}"
    return render(request, "admin/enter_tenant.html", context, status=422 if form.errors else 200)


def choose_page(request: HttpRequest, chosen: list[Tenant]) -> HttpResponse | None:
    """Lead on to the page of the one tenant that was chosen; None, with a word, for any other number."""
    if len(chosen) != 1:
        messages.error(request, "Choose one workspace to enter.")
        return None
    return redirect("admin:enter_tenant", chosen[0].pk)
