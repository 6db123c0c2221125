"""What all pages of the staff do alike: say who acts and when, try a rule, answer a form."""

from collections.abc import Callable
from datetime import date
from typing import Any, TypedDict, TypeVar

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict

from accounts.acting import actor_of
from audit.actors import Actor
from billing.errors import Refused
from billing.periods import local_date
from tenants import clock
from tenants.context import current_tenant

T = TypeVar("T")


class Acting(TypedDict):
    """The keywords that every rule asks for."""

    actor: Actor
    now: Any


def acting(request: HttpRequest) -> Acting:
    """Who acts, and when: `rule(…, **acting(request))`."""
    return {"actor": actor_of(request), "now": clock.now()}


def today() -> date:
    """The tenant's own day."""
    return local_date(clock.now(), current_tenant().zone)


def sent(request: HttpRequest) -> QueryDict | None:
    """The form that was sent, or None when the page was only asked for."""
    return request.POST if request.method == "POST" else None


def sent_files(request: HttpRequest) -> MultiValueDict[str, Any] | None:
    return request.FILES if request.method == "POST" else None


def attempt(form: forms.BaseForm, change: Callable[[], T]) -> T | None:
    """Call a rule; when it refuses, the form says why and None comes back."""
    try:
        return change()
    except Refused as refused:
        form.add_error(None, str(refused))
        return None


def done(form: forms.BaseForm, change: Callable[[], object]) -> bool:
    """Call a rule whose answer is of no interest; when it refuses, the form says why and False comes back."""
    return attempt(form, lambda: (change(),)) is not None


def page(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Answer with a page; it knows the tenant's day."""
    return render(request, template, {"today": today(), **context}, status=status)


def show(request: HttpRequest, template: str, form: forms.BaseForm, **context: Any) -> HttpResponse:
    """Show a form: 422 when it came with mistakes in it."""
    status = 422 if form.is_bound and form.errors else 200
    return page(request, template, status=status, form=form, **context)


def narrowing(form: forms.Form) -> dict[str, Any]:
    """What a GET form of filters asks for; a field that makes no sense narrows nothing."""
    form.is_valid()
    return {name: form.cleaned_data.get(name) or None for name in form.fields}


def is_narrowed(form: forms.Form) -> bool:
    """Tell whether the list is narrowed at all, so that an empty one says the right thing."""
    return any(narrowing(form).values())
