"""Privacy: what is held about a person, correcting it, news on and off, pausing processing, complaining."""

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import errors, naming
from accounts.acting import actor_of
from accounts.models import User
from accounts.pages import own_page
from accounts.portal.frame import show
from accounts.portal.privacy_forms import NameForm, RestrictForm
from accounts.privacy_scope import Scope, of_user, scope_at, scope_of, scopes_of
from privacy import access, consenting, planning, restricting
from privacy.authorities import authority_of
from privacy.errors import Refused
from privacy.plain import as_text
from tenants import clock
from tenants.context import current_tenant, in_public

PAGE_METHODS = ["GET", "HEAD", "POST"]
ROWS = 10


@require_safe
@own_page
def privacy_page(request: HttpRequest, user: User) -> HttpResponse:
    """What is held, by kind, with how many of each."""
    held = [(scope, _held(scope)) for scope in scopes_of(user)]
    restricted = [scope for scope, _ in held if restricting.in_force(scope.subject)]
    news = consenting.latest(of_user(user))
    wanted = news is not None and news.given
    context: dict[str, Any] = {"held": held, "restricted": restricted, "news": wanted}
    context["registers"] = planning.register_titles()
    return show(request, "accounts/privacy/overview.html", **context)


@require_safe
@own_page
def held_page(request: HttpRequest, user: User, kind: str, subject_id: UUID, label: str) -> HttpResponse:
    """All rows of one kind, with every field; what is secret is named only."""
    scope = scope_at(user, kind, subject_id)
    table = access.table_about(scope.subject, label) if scope is not None else None
    if scope is None or table is None:
        raise Http404
    page: Page[Any] = Paginator(cast(Any, _Rows(table)), ROWS).get_page(request.GET.get("page"))
    telling = [each for each in table.columns if each.is_personal or each.type in {"date", "timestamptz"}]
    shown = telling if any(each.is_personal for each in telling) else table.columns
    places = [table.columns.index(each) for each in shown]
    rows = [[(each.label, _said(row[at])) for each, at in zip(shown, places, strict=True)] for row in page]
    context: dict[str, Any] = {"scope": scope, "table": table, "page": page, "rows": rows}
    context |= {"secret": access.SECRET, "treatment": access.treatment(table)}
    return show(request, "accounts/privacy/held.html", **context)


@require_http_methods(PAGE_METHODS)
@own_page
def correct_page(request: HttpRequest, user: User) -> HttpResponse:
    """Where each thing is corrected; one's own name, right here."""
    form = NameForm(request.POST or None, initial={"name": user.name})
    if request.method == "POST" and form.is_valid():
        try:
            naming.rename(user, form.cleaned_data["name"], actor=actor_of(request), now=clock.now())
        except errors.Refused as no:
            form.add_error("name", str(no))
        else:
            messages.success(request, "Saved.")
            return redirect("accounts:privacy_correct")
    customers = [scope for scope in scopes_of(user) if scope.customer is not None]
    status = 422 if form.is_bound else 200
    return show(request, "accounts/privacy/correct.html", form=form, customers=customers, status=status)


@require_http_methods(PAGE_METHODS)
@own_page
def news_page(request: HttpRequest, user: User) -> HttpResponse:
    """Switch news and offers on and off, and see every choice with what was shown."""
    subject = of_user(user)
    acting: dict[str, Any] = {"actor": actor_of(request), "now": clock.now()}
    if request.method == "POST":
        if request.POST.get("news") == "on":
            consenting.give(subject, how="privacy page", **acting)
            messages.success(request, "You get news and offers from now on.")
        else:
            consenting.withdraw(subject, how="privacy page", **acting)
            messages.success(request, "You get no more news and offers.")
        return redirect("accounts:privacy_news")
    history = consenting.history(subject)
    wanted = bool(history) and history[0].given
    text = consenting.text_shown()
    return show(request, "accounts/privacy/news.html", wanted=wanted, history=history, text=text)


@require_http_methods(PAGE_METHODS)
@own_page
def restrict_page(request: HttpRequest, user: User) -> HttpResponse:
    """Pause processing, with the reason; see what that means, and since when."""
    scopes = scopes_of(user)
    form = RestrictForm(request.POST or None, scopes=scopes)
    if request.method == "POST" and form.is_valid():
        scope = _scope(user, form.cleaned_data["whose"])
        reason = form.cleaned_data["reason"]
        try:
            restricting.restrict(scope.subject, reason=reason, actor=actor_of(request), now=clock.now())
        except Refused as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, "Processing is paused from now on. Lift it here when all is settled.")
            return redirect("accounts:privacy_restrict")
    standing = [(scope, restricting.in_force(scope.subject)) for scope in scopes]
    past = [each for scope in scopes for each in restricting.history(scope.subject) if each.lifted_at]
    context: dict[str, Any] = {"form": form, "past": past}
    context["standing"] = [pair for pair in standing if pair[1]]
    return show(
        request, "accounts/privacy/restrict.html", status=422 if form.is_bound else 200,
        free=any(row is None for _, row in standing), **context,
    )  # fmt: skip


@require_POST
@own_page
def lift_page(request: HttpRequest, user: User) -> HttpResponse:
    scope = _scope(user, request.POST.get("whose", ""))
    acting: dict[str, Any] = {"actor": actor_of(request), "now": clock.now()}
    try:
        if restricting.lift(scope.subject, because="asked for by the person", **acting):
            messages.success(request, "Processing goes on.")
    except Refused as no:
        messages.error(request, str(no))
    return redirect("accounts:privacy_restrict")


@require_safe
@own_page
def complain_page(request: HttpRequest, user: User) -> HttpResponse:
    """The authorities that the person may turn to, by the countries on file."""
    countries = [scope.country for scope in scopes_of(user) if scope.country]
    if not countries and not in_public():
        countries = [current_tenant().country]
    found = {country: authority_of(country) for country in dict.fromkeys(countries or ["US"])}
    return show(request, "accounts/privacy/complain.html", authorities=found)


class _Rows:
    """A table's rows as a list of which only a page is read."""

    def __init__(self, table: access.Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return self._table.query.count()

    def __getitem__(self, part: slice) -> list[list[Any]]:
        return self._table.rows(part.start or 0, part.stop)


def _held(scope: Scope) -> list[tuple[access.Table, int]]:
    tables = access.tables_about(scope.subject)
    numbers = access.counts(tables)
    return [(table, numbers[table.label]) for table in tables if numbers[table.label]]


def _said(value: Any) -> tuple[str, Any]:
    """The value with how the template writes it: an instant, a day, or text."""
    if isinstance(value, datetime):
        return "moment", value
    return ("day", value) if isinstance(value, date) else ("text", as_text(value))


def _scope(user: User, key: str) -> Scope:
    found = scope_of(user, key)
    if found is None:
        raise Http404
    return found
