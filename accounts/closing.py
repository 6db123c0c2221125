"""What accounts does when a customer or a workspace is closed, and when somebody is erased."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session as SessionData
from django.core import signing
from django.db.models import Count, F, Q, QuerySet

from accounts import inviting, sessions
from accounts.models import Contact, Customer, Invitation, Session, User
from accounts.people import owners
from accounts.subjects import ERASED_DOMAIN
from audit.actors import Actor
from privacy import closing, ending, planning, telling
from privacy.closing import CUSTOMER, GRACE, TENANT, Part
from privacy.erasing import HELD, obstacle, within
from privacy.holds import any_held
from privacy.models import Erasure
from privacy.subjects import Known, Subject
from tenants.context import current_tenant, enter_public, in_public
from tenants.directory import site_url, tenant_of_schema
from tenants.models import Tenant
from vault import subject_keys

USER: Final = "user"
SALT: Final = "accounts.reopen"


def _close_customer(subject: Subject, actor: Actor, now: datetime) -> None:
    customer = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=UUID(subject.id))
    customer.status = Customer.Status.CLOSED
    customer.save(update_fields=["status"])
    open_ones = Invitation.objects.filter(
        customer=customer, accepted_at__isnull=True, withdrawn_at__isnull=True
    )
    for invitation in open_ones:
        inviting.withdraw(invitation, actor=actor, now=now)


def _open_customer(subject: Subject, ended: Any, actor: Actor, now: datetime) -> None:
    Customer.objects.filter(pk=UUID(subject.id)).update(status=Customer.Status.ACTIVE)


def _close_tenant(subject: Subject, actor: Actor, now: datetime) -> None:
    sessions.end_all(actor=actor, now=now, because=Session.Ended.ENDED)
    _set_status(Tenant.Status.CLOSED)


def _open_tenant(subject: Subject, ended: Any, actor: Actor, now: datetime) -> None:
    _set_status(Tenant.Status.ACTIVE)


def _set_status(status: Tenant.Status) -> None:
    tenant = current_tenant()
    with enter_public():
        Tenant.objects.filter(pk=tenant.pk).update(status=status)
    tenant.status = status


closing.takes_part(CUSTOMER, Part("accounts", _close_customer, _open_customer))
closing.takes_part(TENANT, Part("accounts", _close_tenant, _open_tenant))


def _of_customer(subject: Subject) -> Sequence[Known]:
    """The customer's own address, and its owners'."""
    customer = Customer.objects.get(pk=UUID(subject.id))
    contacts = Contact.objects.filter(customer=customer, is_owner=True, user__is_active=True)
    users = [contact.user for contact in contacts.select_related("user")]
    reached = [Known(user.name, user.email) for user in users] + [Known(customer.name, customer.email)]
    return [each for each in reached if not each.email.endswith(ERASED_DOMAIN)]


def _of_tenant(subject: Subject) -> Sequence[Known]:
    return [Known(user.name, user.email) for user in owners() if not user.email.endswith(ERASED_DOMAIN)]


closing.addressees(CUSTOMER, _of_customer)
closing.addressees(TENANT, _of_tenant)


def token_of(tenant: Tenant) -> str:
    """Return what opens the workspace again for 30 days: its owners, who cannot log in, get it by mail."""
    return signing.dumps(str(tenant.pk), salt=SALT)


def tenant_of(token: str) -> Tenant | None:
    """Return the closed workspace that the token opens; None for one that is void or too old."""
    try:
        tenant_id = signing.loads(token, salt=SALT, max_age=GRACE)
    except signing.BadSignature:
        return None
    with enter_public():
        return Tenant.objects.filter(pk=UUID(tenant_id), status=Tenant.Status.CLOSED).first()


@telling.undone_at
def undo_url(subject: Subject) -> str:
    """Where a closing is undone: customers log in for it, owners of a closed workspace have a link."""
    tenant = current_tenant()
    if subject.kind == TENANT:
        return f"{settings.SITE_URL.rstrip('/')}/reopen/{token_of(tenant)}/"
    return f"{site_url(tenant)}/account/closing/"


def _alone_for(subject: Subject) -> Sequence[Subject]:
    """The log-ins that act for this customer and for nobody else."""
    users = User.objects.filter(role=User.Role.CONTACT, contacts__customer=UUID(subject.id))
    counted = User.objects.filter(pk__in=users).annotate(number=Count("contacts"))
    alone = counted.filter(number=1).order_by("pk").values_list("pk", flat=True)
    return [Subject(USER, str(pk)) for pk in alone]


planning.includes(CUSTOMER, _alone_for)


def _everyone() -> Iterable[Subject]:
    """Of a tenant that is closed, customers first: their log-ins go with them."""
    customers = Customer.objects.exclude(email__endswith=ERASED_DOMAIN).order_by("pk")
    yield from (Subject(CUSTOMER, str(pk)) for pk in customers.values_list("pk", flat=True))
    users = User.objects.exclude(email__endswith=ERASED_DOMAIN).order_by("pk")
    yield from (Subject(USER, str(pk)) for pk in users.values_list("pk", flat=True))


ending.everyone(_everyone)


@obstacle
def last_owner(subject: Subject, because: Erasure.Because) -> list[str]:
    """Somebody has to be left who can look after what stays; a child is erased all the same."""
    if subject.kind != USER or because is Erasure.Because.CHILD:
        return []
    if in_public():
        staff = User.objects.filter(pk=UUID(subject.id), is_active=True, role=User.Role.PLATFORM)
        return ["You work here: your log-in stays until that ends."] if staff.exists() else []
    user = User.objects.filter(pk=UUID(subject.id)).first()
    if user is None:
        return []
    found = []
    if user.role == User.Role.OWNER and _is_open() and [each.pk for each in owners()] == [user.pk]:
        found.append("You own this workspace. Make somebody else its owner, or close the workspace.")
    mine = Contact.objects.filter(user=user, is_owner=True, customer__status=Customer.Status.ACTIVE)
    for contact in mine.select_related("customer"):
        others = Contact.objects.filter(customer=contact.customer_id, is_owner=True, user__is_active=True)
        if not others.exclude(user=user).exists():
            found.append(
                f"Only you own the account of {contact.customer}. Erase that account, and your log-in goes "
                "with it; or make somebody else an owner first."
            )
    return found


def _is_open() -> bool:
    return tenant_of_schema(current_tenant().schema_name).status != Tenant.Status.CLOSED


@obstacle
def held_invitations(subject: Subject, because: Erasure.Because) -> list[str]:
    """An invitation to them may belong to a customer who is needed in a legal matter."""
    return [HELD] if any_held(_invitations_to(planning.with_included(subject))) else []


def _invitations_to(subjects: Sequence[Subject]) -> "QuerySet[Invitation]":
    users = [UUID(each.id) for each in subjects if each.kind == USER]
    customers = [UUID(each.id) for each in subjects if each.kind == CUSTOMER]
    addresses = {*User.objects.filter(pk__in=users).values_list("email", flat=True)}
    addresses |= {*Customer.objects.filter(pk__in=customers).values_list("email", flat=True)}
    theirs = Q(pk__in=[])
    for address in addresses:
        theirs |= Q(email__iexact=address)
    return Invitation.objects.filter(theirs)


@within
def by_value(subjects: Sequence[Subject], now: datetime) -> dict[str, int]:
    """Sessions' contents, which no row names, and invitations to their addresses; nobody logs in any more."""
    users = [UUID(each.id) for each in subjects if each.kind == USER]
    customers = [UUID(each.id) for each in subjects if each.kind == CUSTOMER]
    keys = Session.objects.filter(user__in=users).values_list("key_hash", flat=True)
    data, _ = SessionData.objects.filter(session_key__in=list(keys)).delete()
    theirs = _invitations_to(subjects)
    for pk in theirs.values_list("pk", flat=True):
        subject_keys.destroy("invitation", str(pk), now=now)
    invitations, _ = theirs.delete()
    User.objects.filter(pk__in=users).update(is_active=False, link_generation=F("link_generation") + 1)
    Customer.objects.filter(pk__in=customers).update(status=Customer.Status.CLOSED)
    return {"django_session": data, "invitations to them": invitations}
