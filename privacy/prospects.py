"""Prospects as subjects: known to the platform alone, by what they wrote through the contact form."""

from uuid import UUID

from privacy.models import ContactMessage
from privacy.subjects import Known, Subject, subject_kind
from tenants.context import in_public


def _known(message_id: str) -> Known | None:
    try:
        key = UUID(message_id)
    except ValueError:
        return None
    found = ContactMessage.objects.filter(pk=key).first() if in_public() else None
    return None if found is None else Known(found.name, found.email)


def _at(email: str) -> list[Subject]:
    if not in_public():
        return []
    found = ContactMessage.objects.filter(email__iexact=email).order_by("pk").values_list("pk", flat=True)
    return [Subject("prospect", str(pk)) for pk in found]


subject_kind("prospect", known=_known, find=_at)
