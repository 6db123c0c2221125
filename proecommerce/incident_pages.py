"""The staff's pages of an incident: declare it, and work it off step by step with the clock in sight."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.acting import actor_of
from audit.actors import Actor
from privacy import incident_record, incidents, notifying
from privacy.incidents import IncidentRefused
from privacy.models import Incident, IncidentNotice, IncidentRotation
from privacy.rotating import by_hand, titles
from proecommerce.incident_forms import (
    AuthorityForm,
    DeclareForm,
    GiveUpForm,
    ReviewForm,
    ScopeForm,
    TickForm,
    WordsForm,
)
from tenants import clock

METHODS = ["GET", "HEAD", "POST"]
Step = Callable[[Incident, Any, Actor, datetime], str]


@require_http_methods(METHODS)
def declare_page(request: HttpRequest) -> HttpResponse:
    """Open an incident: the clock starts with when it was found."""
    form = DeclareForm(request.POST or None, initial={"found_at": clock.now()})
    if request.method == "POST" and form.is_valid():
        try:
            incident = incidents.declare(form.found(), actor=actor_of(request), now=clock.now())
            return redirect("admin:incident", incident.pk)
        except IncidentRefused as no:
            form.add_error("found_at", str(no))
    context = {**admin.site.each_context(request), "title": "Declare an incident", "form": form}
    return render(request, "admin/incident_declare.html", context, status=422 if form.errors else 200)


@require_http_methods(METHODS)
def incident_page(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """Show where the incident stands, and take its next step."""
    incident = get_object_or_404(Incident, pk=incident_id)
    forms_of = _forms(request, incident)
    name = request.POST.get("step", "")
    if request.method == "POST" and name in STEPS:
        form, step = forms_of.get(name), STEPS[name]
        if form is None or form.is_valid():
            try:
                told = step(incident, form, actor_of(request), clock.now())
                messages.success(request, told)
                return redirect("admin:incident", incident.pk)
            except IncidentRefused as no:
                messages.error(request, str(no))
    context = {**admin.site.each_context(request), **_standing(incident), "title": str(incident)}
    status = 422 if request.method == "POST" else 200
    return render(request, "admin/incident.html", {**context, "forms": forms_of}, status=status)


@require_safe
def record_page(request: HttpRequest, incident_id: UUID) -> HttpResponse:
    """The record for the authority, as a file."""
    incident = get_object_or_404(Incident, pk=incident_id)
    answer = HttpResponse(incident_record.as_text(incident), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="incident-{incident.pk}.txt"'
    return answer


def _forms(request: HttpRequest, incident: Incident) -> dict[str, forms.BaseForm]:
    """The form of each step; the one that was sent holds what was sent."""
    sent = request.POST if request.method == "POST" else None
    step = request.POST.get("step", "")
    return {
        "scope": ScopeForm(sent if step == "scope" else None),
        "tick": TickForm(sent if step == "tick" else None, incident=incident),
        "review": ReviewForm(sent if step == "review" else None, initial={"found": incident.review_found}),
        "words": WordsForm(sent if step == "words" else None, instance=incident),
        "give_up": GiveUpForm(sent if step == "give_up" else None),
        "authority": AuthorityForm(sent if step == "authority" else None, initial={"at": clock.now()}),
    }


def _scope(incident: Incident, form: ScopeForm, actor: Actor, now: datetime) -> str:
    people = incidents.scope(incident, form.reach(), actor=actor, now=now)
    return f"{people} people are affected; a notice to each is prepared."


def _rotate(incident: Incident, form: None, actor: Actor, now: datetime) -> str:
    return f"{incidents.rotate(incident, actor=actor, now=now)} rotations are under way."


def _tick(incident: Incident, form: TickForm, actor: Actor, now: datetime) -> str:
    data = form.cleaned_data
    incidents.tick(incident, UUID(data["row"]), note=data["note"], actor=actor, now=now)
    return "It is on record that you have replaced it."


def _review(incident: Incident, form: ReviewForm, actor: Actor, now: datetime) -> str:
    incidents.review(incident, found=form.cleaned_data["found"], actor=actor, now=now)
    return "It is on record what the audit log shows."


def _words(incident: Incident, form: WordsForm, actor: Actor, now: datetime) -> str:
    changed = {name: form.cleaned_data[name] for name in form.changed_data}
    stored = Incident.objects.get(pk=incident.pk)
    incidents.describe(stored, actor=actor, now=now, **changed)
    return "The texts are kept."


def _notify(incident: Incident, form: None, actor: Actor, now: datetime) -> str:
    waiting = incidents.ask_notices(incident, actor=actor, now=now)
    return f"{waiting} notices leave from now on, {notifying.a_minute()} a minute."


def _retry(incident: Incident, form: None, actor: Actor, now: datetime) -> str:
    return f"{incidents.retry_notices(incident, actor=actor, now=now)} notices are tried again."


def _give_up(incident: Incident, form: GiveUpForm, actor: Actor, now: datetime) -> str:
    because = form.cleaned_data["because"]
    count = incidents.give_up_notices(incident, because=because, actor=actor, now=now)
    return f"It is on record why {count} people are not told by mail."


def _publish(incident: Incident, form: None, actor: Actor, now: datetime) -> str:
    incidents.publish(incident, actor=actor, now=now)
    return "The notice stands at /notices/."


def _authority(incident: Incident, form: AuthorityForm, actor: Actor, now: datetime) -> str:
    data = form.cleaned_data
    if data["because"]:
        incidents.not_told(incident, because=data["because"], actor=actor, now=now)
    else:
        incidents.tell_authority(
            incident, authority=data["authority"], reference=data["reference"], at=data["at"], actor=actor,
            now=now,
        )  # fmt: skip
    return "It is in the register."


def _close(incident: Incident, form: None, actor: Actor, now: datetime) -> str:
    incidents.close(incident, actor=actor, now=now)
    return "The incident is closed. Its record is kept for ever."


STEPS: dict[str, Step] = {
    "scope": _scope,
    "rotate": _rotate,
    "tick": _tick,
    "review": _review,
    "words": _words,
    "notify": _notify,
    "retry": _retry,
    "give_up": _give_up,
    "publish": _publish,
    "authority": _authority,
    "close": _close,
}


def _rotations(incident: Incident) -> list[tuple[IncidentRotation, str, str]]:
    """Each row with its title, and how it is done where a person does it."""
    names, how = titles(), {each.name: each.how for each in by_hand()}
    rows = incident.rotations.order_by("schema_name", "name")
    return [(row, names.get(row.name, row.name), how.get(row.name, "")) for row in rows]


def _standing(incident: Incident) -> dict[str, Any]:
    """What the page shows of where it stands."""
    now = clock.now()
    left = (incident.due_at - now).total_seconds()
    states = Q(state=IncidentNotice.State.SENT), Q(state=IncidentNotice.State.WAITING)
    counts = incident.notices.aggregate(
        all=Count("pk"),
        sent=Count("pk", filter=states[0]),
        waiting=Count("pk", filter=states[1]),
        given_up=Count("pk", filter=Q(state=IncidentNotice.State.GIVEN_UP)),
    )
    return {
        "incident": incident,
        "missing": incidents.missing(incident),
        "hours_left": round(left / 3600, 1),
        "late": left < 0,
        "soon": 0 <= left < 24 * 3600,
        "scopes": incident.scopes.order_by("schema_name", "subject_kind"),
        "people": incident.scopes.aggregate(n=Sum("people"))["n"] or 0,
        "rotations": _rotations(incident),
        "counts": counts,
        "unreached": incidents.unreached(incident).count(),
        "percent": round(100 * counts["sent"] / counts["all"]) if counts["all"] else 0,
        "pace_hours": round(notifying.hours_for(counts["waiting"]), 1),
        "a_minute": notifying.a_minute(),
    }
