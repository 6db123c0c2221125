"""The staff's page for somebody of a tenant whose device is gone: a reset is promised, after a wait."""

from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.acting import actor_of
from accounts.recovering import WAIT, ResetRefused, help_somebody
from tenants import clock
from tenants.models import Tenant


class LostDeviceForm(forms.Form):
    email = forms.EmailField(label="E-mail address that the person logs in with")
    reason = forms.CharField(
        max_length=300, label="How you made sure that it is them", widget=forms.Textarea(attrs={"rows": 3})
    )


def lost_device_page(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """Ask whose second factors are lost; the person is told, and may stop it."""
    tenant = get_object_or_404(Tenant, pk=tenant_id)
    form, actor = LostDeviceForm(request.POST or None), actor_of(request)
    if request.method == "POST" and form.is_valid():
        try:
            asked = form.cleaned_data
            reset = help_somebody(
                tenant, asked["email"], reason=asked["reason"], actor=actor, now=clock.now()
            )
            messages.success(
                request, f"Told {asked['email']}. It happens on {reset.due_at:%-d %B, %H:%M} UTC."
            )
            return redirect("admin:tenants_tenant_change", tenant.pk)
        except ResetRefused as refused:
            form.add_error(None, str(refused))
    hours = WAIT.total_seconds() // 3600
    context = {
        **admin.site.each_context(request),
        "title": f"Lost device: {tenant}",
        "form": form,
        "tenant": None,
    }
    context |= {"hours": int(hours), "of": tenant}
    return render(request, "admin/lost_device.html", context, status=422 if form.errors else 200)
