"""Where one request is worked on: what it says, whose it may be, and all that a person may do with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.acting import actor_of
from accounts.models import User
from audit.actors import Actor
from privacy import answering, checklists, confirming, underage
from privacy.answering import Answer
from privacy.classifying import Right
from privacy.confirming import found_of
from privacy.errors import Refused
from privacy.finding import inside, place_name
from privacy.models import DataRequest, RequestSubject
from privacy.staffing import Colleague
from privacy.subjects import known
from proecommerce.requests.forms import AnswerForm, ClaimForm, ReasonForm, SortForm
from tenants import clock


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody of the staff at the desk."""

    colleague: Colleague
    actor: Actor


@dataclass(frozen=True, slots=True)
class Doing:
    """One thing that may be done with a request: its form, and the rule that does it."""

    name: str
    title: str
    button: str
    help: str
    form_class: type[forms.Form]
    do: Callable[[DataRequest, Any, Who, datetime], object]
    done: str


def _claim(request: DataRequest, form: Any, who: Who, now: datetime) -> object:
    return answering.claim(request.pk, by=who.colleague, actor=who.actor, now=now)


def _answer(request: DataRequest, form: Any, who: Who, now: datetime) -> object:
    answer = Answer(form.cleaned_data["text"], form.cleaned_data["is_final"])
    return answering.reply(request.pk, answer, by=who.colleague, actor=who.actor, now=now)


def _sort(request: DataRequest, form: Any, who: Who, now: datetime) -> object:
    return answering.sort_anew(request.pk, *form.sorted(), actor=who.actor, now=now)


def _extend(request: DataRequest, form: Any, who: Who, now: datetime) -> object:
    return answering.extend(request.pk, because=form.cleaned_data["reason"], actor=who.actor, now=now)


def _link(request: DataRequest, form: Any, who: Who, now: datetime) -> object:
    return confirming.ask_for_link(request.pk, actor=who.actor, now=now)


def _dismiss(request: DataRequest, form: Any, who: Who, now: datetime) -> object:
    return answering.dismiss(request.pk, because=form.cleaned_data["reason"], actor=who.actor, now=now)


def _freeze(request: DataRequest, form: Any, who: Who, now: datetime) -> object:
    report = underage.Report(form.cleaned_data["reason"], request)
    rows = list(request.subjects.all())
    if not rows:
        raise Refused("Nobody has this address on file. Report the child by name, under Reports of children.")
    return [underage.freeze(found_of(row), report, actor=who.actor, now=now) for row in rows]


DOINGS: Sequence[Doing] = (
    Doing("claim", "Take it", "It is mine", "Reminders come to you.", ClaimForm, _claim, "It is yours."),
    Doing("answer", "Write to them", "Send", "", AnswerForm, _answer, "On its way."),
    Doing(
        "link", "Let them confirm that it is them", "Send the link to the address on file",
        "For what came by letter or telephone, or by a mail that proves nothing. It goes to no other "
        "address; where that one is new on file, make sure first that it is theirs.",
        ClaimForm, _link, "The link is on its way to the address on file.",
    ),
    Doing("sort", "Sort it anew", "Sort", "The deadline follows the law.", SortForm, _sort, "Sorted."),
    Doing(
        "extend", "Take longer", "Extend", "Once, before the time is over; they get the reason by mail.",
        ReasonForm, _extend, "Extended; they are told by mail.",
    ),
    Doing(
        "dismiss", "It asks for nothing", "Dismiss", "Only what is not about personal data at all.",
        ReasonForm, _dismiss, "Dismissed.",
    ),
    Doing(
        "freeze", "They are under 16", "Freeze at once",
        "Everybody with this address on file is shut out and their data stand still, until you decide. "
        "Somebody else's child is reported under Reports of children.",
        ReasonForm, _freeze, "Frozen. Decide under Reports of children.",
    ),
)  # fmt: skip


def who_is_at(request: HttpRequest) -> Who:
    """Return who of the staff is at the desk."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    user = request.user
    return Who(Colleague(str(user.pk), user.name, user.email), actor_of(request))


def work_page(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Show one request, and do what was asked for with it."""
    asked = get_object_or_404(DataRequest, pk=request_id)
    wanted = next((each for each in DOINGS if each.name == request.POST.get("do")), None)
    form = wanted.form_class(request.POST, auto_id=f"{wanted.name}_%s") if wanted else None
    refused = ""
    if wanted is not None and form is not None and form.is_valid():
        try:
            wanted.do(asked, form, who_is_at(request), clock.now())
        except Refused as no:
            refused = str(no)
        else:
            messages.success(request, wanted.done)
            return redirect("admin:privacy_datarequest_change", asked.pk)
    context = {**admin.site.each_context(request), **_seen(asked), "refused": refused}
    context["doings"] = [_offered(each, asked, form if each is wanted else None) for each in DOINGS]
    status = 422 if refused or (form is not None and form.errors) else 200
    return render(request, "admin/privacy/datarequest/work.html", context, status=status)


def days_in_words(days: int) -> str:
    """How long there is, or was."""
    if days < 0:
        return f"{-days} days over" if days < -1 else "a day over"
    return {0: "today", 1: "1 day left"}.get(days, f"{days} days left")


def _seen(asked: DataRequest) -> dict[str, Any]:
    left = (asked.due - clock.now().date()).days
    return {
        "asked": asked,
        "title": f"{asked.reference}: {asked}",
        "days_left": left if asked.is_open else 0,
        "left": days_in_words(left),
        "message": asked.message.reveal(),
        "subjects": [_subject(row) for row in asked.subjects.all()],
        "replies": [{"row": row, "text": row.text.reveal()} for row in asked.replies.order_by("written_at")],
        "checklist": checklists.checklist(Right(asked.right)),
    }


def _subject(row: RequestSubject) -> dict[str, str]:
    found = found_of(row)
    with inside(found.schema_name):
        on_file = known(found.subject)
    name = (on_file.name or "erased") if on_file else "gone"
    return {
        "name": name, "kind": row.subject_kind, "place": place_name(row.schema_name),
        "erase": reverse("admin:erase_asked", args=[row.request_id, row.pk]) if on_file else "",
    }  # fmt: skip


def _offered(doing: Doing, asked: DataRequest, bound: forms.Form | None) -> dict[str, Any]:
    initial = {"law": asked.law, "right": asked.right}
    form = bound if bound is not None else doing.form_class(initial=initial, auto_id=f"{doing.name}_%s")
    return {
        "name": doing.name, "title": doing.title, "button": doing.button, "help": doing.help, "form": form
    }  # fmt: skip
