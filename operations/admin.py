"""What the platform's staff see: the log of requests, by searches that are on record; and alerts."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from accounts.acting import actor_of
from operations.alerting import acknowledge
from operations.forms import NoteForm, SearchForm
from operations.models import Alert, RequestLog
from operations.read_only import ReadOnlyAdmin
from operations.searching import Page, Search, TooWide, note_search, page_of
from tenants import clock

SEARCHES = "request_searches"
SEARCHES_KEPT = 10


@admin.register(RequestLog)
class RequestLogAdmin(ReadOnlyAdmin):
    """No list and no page of a row: rows are shown as the answer to a search, which is on record."""

    def get_urls(self) -> list[URLPattern]:
        search = self.admin_site.admin_view(self.search_page)
        return [path("", search, name="operations_requestlog_changelist")]

    def search_page(self, request: HttpRequest) -> HttpResponse:
        """Ask what to look for; by POST write it down, and lead on to the rows, a page at a time."""
        if not self.has_view_permission(request):
            raise Http404
        now, page, problem = clock.now(), None, ""
        form = SearchForm(request.POST if request.method == "POST" else None, initial=SearchForm.first(now))
        if request.method == "POST" and form.is_valid():
            search = form.search()
            number = str(note_search(search, actor=actor_of(request), now=now))
            _keep(request, number, search)
            return redirect(f"{request.path}?search={number}")
        if request.method != "POST" and "search" in request.GET:
            search = _kept(request, request.GET["search"])
            form = SearchForm(initial=_shown(search))
            try:
                page = _page(search, request.GET.get("after", ""))
            except TooWide as wide:
                problem = str(wide)
        context = {
            **self.admin_site.each_context(request), "title": "Requests of the last days", "form": form,
            "page": page, "problem": problem, "number": request.GET.get("search", ""), "opts": self.opts,
        }  # fmt: skip
        status = 422 if form.errors else 200
        return render(request, "admin/operations/requestlog/search.html", context, status=status)


def _keep(request: HttpRequest, number: str, search: Search) -> None:
    kept = {**request.session.get(SEARCHES, {}), number: search.as_json()}
    request.session[SEARCHES] = dict(list(kept.items())[-SEARCHES_KEPT:])


def _kept(request: HttpRequest, number: str) -> Search:
    """Return the search of this session that is on record under this number."""
    asked = request.session.get(SEARCHES, {}).get(number)
    if asked is None:
        raise Http404("That search is not of this session.")
    return Search.from_json(asked)


def _page(search: Search, after: str) -> Page:
    try:
        return page_of(search, after=after)
    except ValueError:
        raise Http404("There is no such page.") from None


def _shown(search: Search) -> dict[str, Any]:
    """The search as the form had it."""
    tenant = {"public": "platform"}.get(search.tenant, search.tenant)
    return {**search.as_json(), "since": search.since, "until": search.until, "tenant": tenant}


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = (
        "kind", "network", "schema_name", "count", "window_seconds", "first_seen", "last_seen",
        "acknowledged_at", "acknowledged_by", "note",
    )  # fmt: skip
    list_filter = ("kind",)
    # Django takes expressions too.
    ordering = (F("acknowledged_at").desc(nulls_first=True), "-raised_at")  # type: ignore[assignment]
    actions = ("acknowledge",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_staff)

    @admin.action(description="Acknowledge…")
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> HttpResponse | None:
        """Ask what came of them, then note who has looked."""
        alerts = list(queryset)
        form = NoteForm(request.POST if "note" in request.POST else None)
        if form.is_bound and form.is_valid():
            actor, now = actor_of(request), clock.now()
            note = form.cleaned_data["note"]
            done = sum(acknowledge(each, note=note, actor=actor, now=now) for each in alerts)
            messages.success(request, f"{done} alerts are acknowledged.")
            return None
        context = {
            **self.admin_site.each_context(request), "title": "Acknowledge", "form": form, "alerts": alerts,
            "opts": self.opts,
        }  # fmt: skip
        status = 422 if form.errors else 200
        return render(request, "admin/operations/alert/acknowledge.html", context, status=status)
