"""What people demand of their data: a row at least of each, by the mark of whose it is."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from accounts.models import Customer, User
from audit.actors import Actor
from privacy import consenting
from privacy.models import Consent, ConsentText, ExportFile, Hold, News, Restriction
from privacy.subjects import Subject
from tenants import clock
from vault import subject_keys
from vault.files import new_key

ACTOR = Actor.system("tests")


def rights(user: User, customer: Customer, mark: str) -> dict[str, Any]:
    """Consent, a restriction and a hold that were lifted, and a copy of the customer's data."""
    now = clock.now()
    who = Subject("customer", str(customer.pk))
    of = {"subject_kind": who.kind, "subject_id": who.id}
    consenting.give(Subject("user", str(user.pk)), how=f"{mark} how", actor=ACTOR, now=now)
    text = ConsentText.objects.create(hash=mark[-1] * 64, purpose="marketing", text=f"{mark} text", since=now)
    place = subject_keys.seal("user", str(user.pk), '{"ip": null}', context=consenting.CONTEXT)
    Consent.objects.create(
        subject_kind="user", subject_id=str(user.pk), purpose="marketing", given=True, text=text,
        how=f"{mark} how", at=now - timedelta(days=1), address_mark=f"{mark} address",
        sealed=place,
    )  # fmt: skip
    Restriction.objects.create(
        **of, reason=f"{mark} reason", asked_at=now, lifted_at=now, lifted_because=f"{mark} because"
    )
    Hold.objects.create(
        **of, reason=f"{mark} reason", placed_by=f"{mark} staff", placed_at=now, review_on=now.date(),
        lifted_at=now, lifted_because=f"{mark} because",
    )  # fmt: skip
    copy = ExportFile.objects.create(
        **of, asked_by=str(user.pk), asked_at=now, key=new_key(), state="ready", ready_at=now,
        expires_at=now + timedelta(days=7),
    )  # fmt: skip
    return {"export_id": copy.pk, "subject_id": customer.pk, "kind": "customer", "label": "accounts.Customer"}


def whole_copy(owner: User, tenant_id: UUID, mark: str) -> UUID:
    """A copy of everything that the owner asked for, and news that were mailed."""
    now = clock.now()
    News.objects.create(title=f"{mark} news", text=f"{mark} text", asked_by=str(owner.pk), asked_at=now)
    copy = ExportFile.objects.create(
        subject_kind="tenant", subject_id=str(tenant_id), asked_by=str(owner.pk), asked_at=now, key=new_key(),
        state="ready", ready_at=now, expires_at=now + timedelta(days=7),
    )  # fmt: skip
    return copy.pk
