"""People whom the platform alone knows: by the contact form, or by what they asked about their data."""

from typing import Any
from uuid import UUID

from privacy.incoming import is_plain_address
from privacy.models import ContactMessage, DataRequest
from privacy.scoping import Kind, reaches
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


def _asking(request_id: str) -> Known | None:
    try:
        key = UUID(request_id)
    except ValueError:
        return None
    found = DataRequest.objects.filter(pk=key).first() if in_public() else None
    return Known("", found.address) if found and is_plain_address(found.address) else None


def _who_asked() -> Any:
    """Those who asked by an address that mail can reach; who asked by letter may have given none."""
    reachable = DataRequest.objects.filter(address__contains="@")
    return reachable.order_by("pk").values_list("pk", "address")


subject_kind("request", known=_asking, find=lambda _: [])
reaches(
    Kind(
        "prospect", "People who wrote to us", "privacy.ContactMessage",
        addresses=lambda: ContactMessage.objects.order_by("pk").values_list("pk", "email"),
        why="You wrote to ProEcommerce by the form on our site.",
        in_tenants=False, on_platform=True,
    )
)  # fmt: skip
reaches(
    Kind(
        "request", "People who asked about their data", "privacy.DataRequest",
        addresses=_who_asked,
        why="You wrote to ProEcommerce about your personal data.",
        in_tenants=False, on_platform=True,
    )
)  # fmt: skip
