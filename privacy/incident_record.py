"""The record of an incident for the authority: all that Art. 33(3) and (5) GDPR ask for, as text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from audit.models import AuditEvent
from audit.reading import opened
from privacy.models import Incident, IncidentNotice
from privacy.rotating import titles
from tenants.context import enter_public

NOT_YET = "not yet"
TITLES = {
    "C1": "account data: names, addresses, phone numbers",
    "C2": "log-in data: password hashes and sealed second factors",
    "C3": "plans and references to payment methods at Stripe; no card numbers",
    "C4": "invoices, payments and balances",
    "C5": "usage data: IP addresses, browsers, times of log-in",
    "C6": "the record of actions",
    "C7": "correspondence",
    "C8": "contacts, preferences and domains",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One point that the law asks for, with what there is to say."""

    title: str
    lines: Sequence[str]


def sections(incident: Incident) -> list[Section]:
    """Return the record, point by point. Reads the shared schema."""
    with enter_public():
        return [
            Section("Nature of the breach (Art. 33(3)(a))", [incident.nature, _times(incident)]),
            *_concerned(incident),
            Section(
                "Contact (Art. 33(3)(b))",
                [f"ProEcommerce, {settings.DEFAULT_FROM_EMAIL}, {settings.SITE_URL.rstrip('/')}"],
            ),
            Section("Likely consequences (Art. 33(3)(c))", [incident.consequences or NOT_YET]),
            Section("Measures taken or proposed (Art. 33(3)(d))", _measures(incident)),
            Section("Those affected (Art. 34)", _told(incident)),
            Section("Authority (Art. 33(1))", [_authority(incident)]),
            Section("Documentation (Art. 33(5)): what was done, when, by whom", _documentation(incident)),
        ]


def _concerned(incident: Incident) -> list[Section]:
    scopes = list(incident.scopes.order_by("schema_name", "subject_kind"))
    people, rows = sum(each.people for each in scopes), sum(each.rows for each in scopes)
    where = len({each.schema_name for each in scopes})
    categories = sorted({each for scope in scopes for each in scope.categories})
    each_place = [
        f"{each.schema_name}: {each.people} of kind {each.subject_kind}, {each.rows} records"
        for each in scopes
    ]
    return [
        Section(
            "People and records concerned, approximately (Art. 33(3)(a))",
            [f"{people} people, {rows} records, in {where} workspaces", *each_place],
        ),
        Section("Categories of data", [TITLES[each] for each in categories] or [NOT_YET]),
    ]


def _measures(incident: Incident) -> list[str]:
    names = titles()
    rotated = [
        f"{names.get(each.name, each.name)}, {each.schema_name}: "
        + (f"{each.outcome} ({_at(each.done_at)}{_by(each.done_by)})" if each.done_at else NOT_YET)
        for each in incident.rotations.order_by("schema_name", "name")
    ]
    return [incident.measures or NOT_YET, *rotated, f"Audit log reviewed: {_review(incident)}"]


def _by(person: str) -> str:
    return f", by hand, {person}" if person else ""


def _review(incident: Incident) -> str:
    if incident.reviewed_at is None:
        return NOT_YET
    return f"{incident.review_found} ({_at(incident.reviewed_at)}, {incident.reviewed_by})"


def _told(incident: Incident) -> list[str]:
    states = Counter(incident.notices.values_list("state", flat=True))
    return [
        f"{states[IncidentNotice.State.SENT]} told by mail, "
        f"{states[IncidentNotice.State.WAITING]} to be told, "
        f"{states[IncidentNotice.State.FAILED]} not reached by mail, "
        f"{states[IncidentNotice.State.GONE]} without an address on file",
        *_given_up(incident),
        f"Public notice: {_at(incident.published_at)}",
    ]


def _given_up(incident: Incident) -> list[str]:
    given_up = incident.notices.filter(state=IncidentNotice.State.GIVEN_UP)
    reasons = Counter(given_up.values_list("given_up_because", flat=True))
    return [f"{count} not told by mail: {because}" for because, count in sorted(reasons.items())]


def _documentation(incident: Incident) -> list[str]:
    events = AuditEvent.objects.filter(subject_kind="incident", subject_id=str(incident.pk)).order_by("seq")
    return [f"{_at(each.event.at)} {each.event.action} by {each.label}" for each in opened(events)]


def as_text(incident: Incident) -> str:
    """The record as plain text, to be sent or kept."""
    kind = "EXERCISE: " if incident.is_drill else ""
    parts = [f"{kind}{incident.title}", f"Incident {incident.pk}", ""]
    for section in sections(incident):
        parts += [section.title, *(f"  {line}" for line in section.lines), ""]
    return "\n".join(parts)


def _times(incident: Incident) -> str:
    return (
        f"Found {_at(incident.found_at)}, declared {_at(incident.declared_at)} by {incident.declared_by}; "
        f"72 hours end {_at(incident.due_at)}."
    )


def _authority(incident: Incident) -> str:
    if incident.authority_told_at:
        late = incident.authority_told_at > incident.due_at
        why = " (later than 72 hours: give the reasons for the delay)" if late else ""
        reference = f", reference {incident.authority_reference}" if incident.authority_reference else ""
        return f"{incident.authority} told {_at(incident.authority_told_at)}{reference}{why}"
    return incident.authority_not_told_because or NOT_YET


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else NOT_YET
