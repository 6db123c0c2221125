"""How to reach the people and customers of the schema entered, and whose an address is."""

from typing import Any
from uuid import UUID

from accounts.models import Customer, Invitation, User
from privacy.scoping import Kind, reaches
from privacy.subjects import Known, Subject, subject_kind

ERASED_DOMAIN = "@erased.invalid"


def _user(user_id: str) -> Known | None:
    user = User.objects.filter(pk__in=_uuids(user_id)).first()
    return None if user is None else _known(user.name, user.email)


def _customer(customer_id: str) -> Known | None:
    customer = Customer.objects.filter(pk__in=_uuids(customer_id)).first()
    return None if customer is None else _known(str(customer), customer.email, customer.country)


def _known(name: str, email: str, country: str = "") -> Known:
    return Known("", "", country) if email.endswith(ERASED_DOMAIN) else Known(name, email, country)


def _users_at(email: str) -> list[Subject]:
    found = User.objects.filter(email__iexact=email).order_by("pk").values_list("pk", flat=True)
    return [Subject("user", str(pk)) for pk in found]


def _customers_at(email: str) -> list[Subject]:
    found = Customer.objects.filter(email__iexact=email).order_by("pk").values_list("pk", flat=True)
    return [Subject("customer", str(pk)) for pk in found]


def _uuids(text: str) -> list[UUID]:
    """The id that the text is; none for what is no id."""
    try:
        return [UUID(text)]
    except ValueError:
        return []


def _invitation(invitation_id: str) -> Known | None:
    found = Invitation.objects.filter(pk__in=_uuids(invitation_id)).first()
    return None if found is None else _known(found.name, found.email)


def _invited() -> Any:
    """Those whose invitation nobody has accepted: their address is held, and they have no log-in."""
    pending = Invitation.objects.filter(accepted_at__isnull=True)
    return pending.order_by("pk").values_list("pk", "email")


WHY = "You have an account with {business}, which bills through ProEcommerce."
INVITED = "You were invited to join {business}, which bills through ProEcommerce."
subject_kind("user", known=_user, find=_users_at)
subject_kind("customer", known=_customer, find=_customers_at)
subject_kind("invitation", known=_invitation, find=lambda _: [])
reaches(
    Kind(
        "user", "Everybody who logs in", "accounts.User", why=WHY, on_platform=True,
        addresses=lambda: User.objects.order_by("pk").values_list("pk", "email"),
    )
)  # fmt: skip
reaches(
    Kind(
        "customer", "Customers", "accounts.Customer", why=WHY,
        addresses=lambda: Customer.objects.order_by("pk").values_list("pk", "email"),
    )
)  # fmt: skip
reaches(
    Kind(
        "invitation", "People who are invited", "accounts.Invitation", why=INVITED, addresses=_invited,
    )
)  # fmt: skip
