"""Erasing from the desk: the plan to read, a word to type; begun where the person's data lie."""

from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.acting import actor_of
from accounts.portal.erasure_pages import ErasureForm, shown
from privacy import erasing, planning
from privacy.classifying import Right
from privacy.closing import THROWN_AWAY
from privacy.confirming import found_of
from privacy.errors import Refused
from privacy.finding import Found, address_on_file, inside, is_rehearsal, place_name
from privacy.models import ContactMessage, Erasure, RequestSubject
from privacy.subjects import Subject, known
from proecommerce.requests.pages import Ask, asked
from tenants import clock
from tenants.postgresql.base import PUBLIC

DONE = "It is being erased. They get a mail that says what is kept, on which law, and how long."
UNPROVEN = "They have not confirmed the request from the address on file: anybody may have written it."

MOVED = "Their address on file is not (any more) the one that confirmed this request."
OTHER = "They did not ask to be deleted. If they did, sort the request anew first."


def erase_prospect_page(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Erase who wrote through the contact form, with what was answered."""
    message = get_object_or_404(ContactMessage, pk=message_id)
    whom = Found(PUBLIC, Subject("prospect", str(message.pk)))
    back = reverse("admin:privacy_contactmessage_changelist")
    return _page(request, whom, back, "Contact messages")


def erase_asked_page(request: HttpRequest, request_id: UUID, row_id: UUID) -> HttpResponse:
    """Erase one of those whose address a request came from; it has to be confirmed."""
    row = get_object_or_404(RequestSubject, pk=row_id, request=request_id)
    back = reverse("admin:privacy_datarequest_change", args=[request_id])
    refused = UNPROVEN if row.request.confirmed_at is None else ""
    if not refused and row.request.right != Right.DELETE:
        refused = OTHER
    elif not refused and is_rehearsal(row.schema_name):
        refused = f"They stand in a rehearsal: {THROWN_AWAY}"
    elif not refused and address_on_file(found_of(row)).lower() != row.request.address.lower():
        refused = MOVED
    return _page(request, found_of(row), back, "The request", refused)


def _page(request: HttpRequest, whom: Found, back: str, back_title: str, refused: str = "") -> HttpResponse:
    form: forms.Form = ErasureForm(request.POST or None)
    ask = Ask(
        f"Erase {_name(whom)}", "Erase for good", back, back_title, DONE,
        (*([refused] if refused else []), *_plan(whom)),
    )  # fmt: skip

    def do() -> object:
        if refused:
            raise Refused(refused)
        with inside(whom.schema_name):
            return erasing.begin(
                whom.subject, because=Erasure.Because.ASKED, actor=actor_of(request), now=clock.now()
            )

    return asked(request, form, ask, do)


def _name(whom: Found) -> str:
    with inside(whom.schema_name):
        on_file = known(whom.subject)
    if on_file is None:
        raise Http404
    return f"{on_file.name or 'somebody erased'}, {whom.subject.kind} of {place_name(whom.schema_name)}"


def _plan(whom: Found) -> list[str]:
    """What goes and what stays, a line each."""
    with inside(whom.schema_name):
        lines = [f"Not now: {text}" for text in erasing.in_the_way(whom.subject)]
        if erasing.is_under_way(whom.subject):
            lines.append("It is being erased already.")
        plan = shown(planning.plan(whom.subject, now=clock.now()).as_json)
    lines += ["Goes: {what}, {rows} of them.".format(**item) for item in plan["goes"]]
    lines += ["Is emptied: {what}: {words}.".format(**item) for item in plan["emptied"]]
    lines += ["Cannot be read any more: {what}, {rows} of them.".format(**item) for item in plan["sealed"]]
    lines += ["Stays: {what}: {words}. Until {until}. {law}.".format(**item) for item in plan["stays"]]
    return lines
