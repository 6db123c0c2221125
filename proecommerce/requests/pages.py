"""Pages of the desk with one form each: what came by letter, a child, a disclosure, legal holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.acting import actor_of
from privacy import disclosing, holding, receiving, underage
from privacy.disclosing import HandedOut
from privacy.errors import Refused
from privacy.finding import place_name
from privacy.models import UnderageReport
from privacy.receiving import Written
from proecommerce.requests.forms import (
    ChildForm,
    DecisionForm,
    DisclosureForm,
    HoldForm,
    ReasonForm,
    ReviewForm,
    WriteDownForm,
)
from tenants import clock


@dataclass(frozen=True, slots=True)
class Ask:
    """A page that asks for one form: what it says, where it leads back to, what is said when it is done."""

    title: str
    button: str
    back: str
    back_title: str
    done: str
    intro: tuple[str, ...] = ()


def asked(request: HttpRequest, form: forms.Form, ask: Ask, do: Callable[[], object]) -> HttpResponse:
    """Show the form; when it is right, do what it asks and lead back."""
    if request.method == "POST" and form.is_valid():
        try:
            do()
        except Refused as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, ask.done)
            return redirect(ask.back)
    context: dict[str, Any] = {**admin.site.each_context(request), "form": form, "title": ask.title}
    context |= {"button": ask.button, "back": ask.back, "back_title": ask.back_title, "intro": ask.intro}
    return render(request, "admin/privacy_form.html", context, status=422 if form.errors else 200)


def write_down_page(request: HttpRequest) -> HttpResponse:
    """Put into the queue what came by letter or telephone."""
    form = WriteDownForm(request.POST or None)
    ask = Ask(
        "Write down a request", "Put it in the queue", reverse("admin:privacy_datarequest_changelist"),
        "Requests about personal data", "It is in the queue.",
    )  # fmt: skip

    def do() -> object:
        data = form.cleaned_data
        law, right = form.sorted()
        written = Written(data["channel"], data["received_on"], law, right, data["address"], data["text"])
        return receiving.write_down(written, actor=actor_of(request), now=clock.now())

    return asked(request, form, ask, do)


def report_child_page(request: HttpRequest) -> HttpResponse:
    """Freeze somebody who is said to be under 16, at once."""
    form = ChildForm(request.POST or None)
    ask = Ask(
        "Report a child", "Freeze at once", reverse("admin:privacy_underagereport_changelist"),
        "Reports of children", "Frozen. Find out what is true, then decide.",
        ("They are logged out and shut out, and nothing is done with their data until somebody decides.",),
    )  # fmt: skip

    def do() -> object:
        report = underage.Report(form.cleaned_data["ground"])
        return underage.freeze(form.found(), report, actor=actor_of(request), now=clock.now())

    return asked(request, form, ask, do)


def decide_child_page(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Have a child's data erased, or let them go on."""
    report = get_object_or_404(UnderageReport, pk=report_id)
    form = DecisionForm(request.POST or None)
    said = (
        f"{report.subject_kind.capitalize()} {report.subject_id} of {place_name(report.schema_name)}, "
        f"reported on {report.reported_at:%-d %B %Y} by {report.reported_by}.",
        f"It rests on: {report.ground.reveal()}",
        f"{report.get_decision_display()}: {report.decided_because} ({report.decided_by})"
        if report.decision
        else "",
        f"Erased on {report.erased_at:%-d %B %Y, %H:%M} UTC." if report.erased_at else "",
    )
    ask = Ask(
        "Decide about a report of a child", "Decide", reverse("admin:privacy_underagereport_changelist"),
        "Reports of children", "Decided.", said,
    )  # fmt: skip

    def do() -> object:
        decision = UnderageReport.Decision(form.cleaned_data["decision"])
        reason = form.cleaned_data["reason"]
        return underage.decide(report.pk, decision, reason, actor=actor_of(request), now=clock.now())

    return asked(request, form, ask, do)


def disclosure_page(request: HttpRequest) -> HttpResponse:
    """Put on record what an authority is given."""
    form = DisclosureForm(request.POST or None, request.FILES or None)
    ask = Ask(
        "Record a disclosure", "Put it on record", reverse("admin:privacy_disclosure_changelist"),
        "Disclosures to authorities", "It is on record. Now the file may be handed out.",
        ("Before anything is handed out: only what the request requires, and nothing without its basis.",),
    )  # fmt: skip

    def do() -> object:
        names = ("authority", "reference", "basis", "received_on", "about", "disclosed")
        name, digest = form.digest()
        what = HandedOut(
            **{each: form.cleaned_data[each] for each in names}, file_name=name, file_sha256=digest
        )
        return disclosing.disclose(what, actor=actor_of(request), now=clock.now())

    return asked(request, form, ask, do)


def holds_page(request: HttpRequest) -> HttpResponse:
    """List every legal hold in force."""
    today = clock.now().date()
    rows = [
        {
            "hold": each.hold,
            "schema_name": each.schema_name,
            "place": place_name(each.schema_name),
            "is_due": each.hold.review_on <= today,
        }
        for each in holding.in_force()
    ]
    context = {**admin.site.each_context(request), "holds": rows, "title": "Legal holds"}
    return render(request, "admin/legal_holds.html", context)


def _to_holds(title: str, button: str, done: str) -> Ask:
    return Ask(title, button, reverse("admin:legal_holds"), "Legal holds", done)


def place_hold_page(request: HttpRequest) -> HttpResponse:
    """Let nothing of somebody be purged or erased."""
    form = HoldForm(request.POST or None)

    def do() -> object:
        data = form.cleaned_data
        return holding.place(
            form.found(), reason=data["reason"], review_on=data["review_on"], actor=actor_of(request),
            now=clock.now(),
        )  # fmt: skip

    return asked(request, form, _to_holds("Place a legal hold", "Place it", "The hold stands."), do)


def review_hold_page(request: HttpRequest, schema: str, hold_id: UUID) -> HttpResponse:
    """Let a hold stand on, with today's reason."""
    form = ReviewForm(request.POST or None)

    def do() -> object:
        data = form.cleaned_data
        return holding.review(
            schema, hold_id, reason=data["reason"], review_on=data["review_on"], actor=actor_of(request),
            now=clock.now(),
        )  # fmt: skip

    return asked(request, form, _to_holds("Review a legal hold", "Let it stand", "Reviewed."), do)


def lift_hold_page(request: HttpRequest, schema: str, hold_id: UUID) -> HttpResponse:
    """Let the usual rules hold again."""
    form = ReasonForm(request.POST or None)

    def do() -> object:
        because = form.cleaned_data["reason"]
        return holding.lift(schema, hold_id, because=because, actor=actor_of(request), now=clock.now())

    return asked(request, form, _to_holds("Lift a legal hold", "Lift it", "Lifted."), do)
