"""How a business comes to us: its tenant with the first owner, from the page or the command line."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.inviting import Invitee, invite, token_of
from accounts.models import User
from accounts.people import create_user
from audit.actors import Actor
from tenants.context import enter, enter_public
from tenants.directory import site_url
from tenants.models import Tenant
from tenants.provisioning import NewTenant, create_tenant


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new tenant, the address of its host, and where its owner goes next."""

    tenant: Tenant
    url: str
    next_url: str


def sign_up(new: NewTenant, *, owner: str, name: str, password: str, actor: Actor, now: datetime) -> SignedUp:
    """Make the tenant and its owner, who logs in with this password. Raises SlugTaken, SlugRefused."""
    with enter_public(), transaction.atomic():
        tenant = create_tenant(new, actor=actor, now=now)
        with enter(tenant):
            create_user(
                email=owner, name=name, role=User.Role.OWNER, password=password, actor=actor, now=now,
                locale=new.locale,
            )  # fmt: skip
    url = site_url(tenant)
    return SignedUp(tenant, url, f"{url}/log-in/?next=/manage/")


def create_with_invitation(new: NewTenant, *, owner: str, actor: Actor, now: datetime) -> SignedUp:
    """Make the tenant and invite its owner by mail; the link is in the answer too."""
    with enter_public(), transaction.atomic():
        tenant = create_tenant(new, actor=actor, now=now)
        with enter(tenant):
            invitation = invite(Invitee(email=owner, role=User.Role.OWNER), actor=actor, now=now)
            token = token_of(invitation)
    url = site_url(tenant)
    return SignedUp(tenant, url, f"{url}/invitation/{token}/")
