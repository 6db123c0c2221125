"""Visits: somebody of the platform acts as a user of a tenant, for a reason, at most half an hour, on record.

Allowed on the public host, begun on the tenant's by a signed link that works once, for a minute, and where it
was asked for: hosts share no cookie, so it carries a mark of the caller's network and browser. What a visitor
may do, `accounts.permissions` says, and `audit.recording` refuses to record anything else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import sessions
from accounts.acting import actor_of
from accounts.errors import Refused
from accounts.models import Contact, User, Visit
from accounts.people import owners
from accounts.sessions import Operator
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.context import current_schema, current_tenant, enter, enter_public
from tenants.jobs import enqueue
from tenants.models import Tenant
from tenants.origins import network_of

LASTS = timedelta(minutes=30)
LINK_LASTS = timedelta(seconds=60)
REASON_AT_LEAST = 10
SALT = "accounts.visit"
KEY = "visit"


class VisitRefused(ValueError):
    """The link is forged, used, too old, or of another tenant; or whoever got it may not any more."""


@dataclass(frozen=True, slots=True)
class Wish:
    """As whom somebody wants to enter which tenant, and why."""

    tenant: Tenant
    user_id: UUID
    reason: str


def visitable(tenant: Tenant) -> list[User]:
    """Return as whom one may enter the tenant: its active people first, then active contacts of customers."""
    with enter(tenant):
        contacts = Contact.objects.values("user")
        rows = User.objects.filter(is_active=True).order_by("name", "email")
        return [*rows.exclude(role=User.Role.CONTACT), *rows.filter(role=User.Role.CONTACT, pk__in=contacts)]


def allow(wish: Wish, *, staff: User, actor: Actor, now: datetime) -> str:
    """Write down who wants in and why, in the platform's record; returns the token of the link.

    Raises `Refused`, and `PermissionDenied` for anybody but the platform's active staff.
    """
    reason, tenant = " ".join(wish.reason.split()), wish.tenant
    if len(reason) < REASON_AT_LEAST:
        raise Refused("Say in some words why: the owners of the workspace will read it.")
    with enter_public(), transaction.atomic():
        known = _of_the_platform(staff.pk)
        if known is None:
            raise PermissionDenied
        if tenant.is_rehearsal:
            raise Refused("A rehearsal has a clock of its own. It cannot be entered.")
        if tenant.status == Tenant.Status.CLOSED:
            raise Refused("The workspace is closed. Nobody can enter it.")
        with enter(tenant):
            user = User.objects.filter(pk=wish.user_id, is_active=True).first()
            if user is None:
                raise Refused("There is no such active user any more. Choose another one.")
            visit = Visit.objects.create(
                user=user, staff_id=known.pk, staff_label=f"{known.name} <{known.email}>"[:254],
                reason=reason[:500], created_at=now,
            )  # fmt: skip
            asked_from = mark_of(actor.ip, actor.user_agent)
            token = signing.Signer(salt=SALT).sign_object([current_schema(), visit.pk.hex, asked_from])
        after = {"as": str(user.pk), "visit": str(visit.pk)}
        record(
            Action.VISIT_ALLOWED, subject=("tenant", tenant.pk), actor=actor, now=now, after=after,
            personal={"after": {"reason": visit.reason}}, about=("user", known.pk),
        )  # fmt: skip
    return token


def mark_of(ip: str | None, user_agent: str) -> str:
    """Return what stands for the caller's network and browser in a link; "" where nothing is known."""
    if ip is None:
        return ""
    return salted_hmac(SALT, f"{network_of(ip)}\0{user_agent}", algorithm="sha256").hexdigest()[:32]


def open_visit(token: str, *, origin: tuple[str | None, str], now: datetime) -> Visit:
    """Return the visit that the token may begin from there (address, browser); raises `VisitRefused`."""
    try:
        schema, reference, asked_from = signing.Signer(salt=SALT).unsign_object(token)
        visit_id = UUID(hex=reference)
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise VisitRefused("This link is not whole. Ask for a new one in the admin.") from error
    if asked_from and not constant_time_compare(asked_from, mark_of(*origin)):
        raise VisitRefused("This link is for the browser and the network that asked for it in the admin.")
    found = None
    if schema == current_schema():
        found = Visit.objects.select_related("user").filter(pk=visit_id).first()
    return _fresh(found, now=now)


def begin(visit: Visit, request: HttpRequest, *, now: datetime) -> Visit:
    """Begin the visit in a session of its own, and have the tenant's owners told. Locks the visit, once."""
    with transaction.atomic():
        rows = Visit.objects.select_related("user").select_for_update(of=("self",), no_key=True)
        locked = _fresh(rows.filter(pk=visit.pk).first(), now=now)
        locked.begun_at, locked.ends_at = now, now + LASTS
        locked.save(update_fields=["begun_at", "ends_at"])
        user = locked.user
        user.visit = locked
        record(
            Action.VISIT_BEGUN, subject=("user", user.pk), actor=actor_of(request, user), now=now,
            after={"until": locked.ends_at.isoformat()}, personal={"after": {"reason": locked.reason}},
        )  # fmt: skip
        for owner in owners():
            enqueue("accounts.mail_visit", visit_id=str(locked.pk), user_id=str(owner.pk))
    name = Operator(str(locked.staff_id), locked.staff_label)
    sessions.begin(request, user, methods={KEY}, now=now, operator=name, lifetime=LASTS)
    request.session[KEY] = str(locked.pk)
    return locked


def end(request: HttpRequest, *, now: datetime) -> None:
    """End the visit of this request, if there is one, and its session."""
    user = request.user
    if not isinstance(user, User) or user.visit is None:
        return
    with transaction.atomic():
        locked = Visit.objects.select_for_update(of=("self",), no_key=True).get(pk=user.visit.pk)
        if locked.ended_at is None:
            locked.ended_at = now
            locked.save(update_fields=["ended_at"])
            record(Action.VISIT_ENDED, subject=("user", user.pk), actor=actor_of(request), now=now)
    sessions.finish(request, now=now)


def seen(request: HttpRequest, person: User | AnonymousUser, *, now: datetime) -> User | AnonymousUser:
    """Return the person of the request with the visit behind it; nobody, once that visit is over."""
    if not isinstance(person, User) or KEY not in request.session:
        return person
    person.visit = visit_of(request, person, now=now)
    if person.visit is not None:
        return person
    request.session.flush()
    return AnonymousUser()


def visit_of(request: HttpRequest, user: User, *, now: datetime) -> Visit | None:
    """Return the visit of the request's session while it stands: read each time, so that it ends at once."""
    try:
        visit_id = UUID(str(request.session.get(KEY)))
    except ValueError:
        return None
    visit = Visit.objects.filter(
        pk=visit_id, user=user, ended_at__isnull=True, begun_at__lte=now, ends_at__gt=now
    ).first()
    if visit is None or not _may_be_visited(current_tenant()) or _of_the_platform(visit.staff_id) is None:
        return None
    return visit


def _fresh(visit: Visit | None, *, now: datetime) -> Visit:
    """Return the visit if its link may still begin it; raises `VisitRefused`."""
    if visit is None or visit.begun_at is not None or not now < visit.created_at + LINK_LASTS:
        raise VisitRefused(
            "This link was used or is too old: it is good once, for a minute. Ask for a new one."
        )
    if not visit.user.is_active or not _may_be_visited(current_tenant()):
        raise VisitRefused("There is no way in as this user any more.")
    if _of_the_platform(visit.staff_id) is None:
        raise VisitRefused("Whoever asked for this link does not work for the platform any more.")
    return visit


def _may_be_visited(tenant: Tenant) -> bool:
    return not tenant.is_rehearsal and tenant.status != Tenant.Status.CLOSED


def _of_the_platform(staff_id: UUID) -> User | None:
    """Return the platform's active member of staff, from the shared schema."""
    with enter_public():
        return User.objects.filter(pk=staff_id, role=User.Role.PLATFORM, is_active=True).first()
