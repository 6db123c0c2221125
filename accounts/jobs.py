"""Jobs of accounts: the mails about log-ins, and resets whose time has come."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_encode

from accounts import mails, notices, recovering
from accounts.inviting import token_of
from accounts.models import FactorReset, Invitation, User
from accounts.passwords import tokens
from audit.actors import Actor
from tenants import clock
from tenants.context import current_tenant, in_public
from tenants.directory import site_url
from tenants.jobs import job
from tenants.mail import send


@job("accounts.mail_invitation", outside=True)
def mail_invitation(*, invitation_id: str) -> None:
    """Mail the invitation's link, unless it was accepted meanwhile."""
    invitation = Invitation.objects.get(pk=UUID(invitation_id))
    if invitation.accepted_at is not None:
        return
    tenant = current_tenant()
    url = f"{site_url(tenant)}/invitation/{token_of(invitation)}/"
    send(mails.invitation_mail(business=tenant.name, name=invitation.name, url=url), to=invitation.email)


@job("accounts.mail_reset", outside=True)
def mail_reset(*, user_id: str) -> None:
    """Mail the link that sets a new password."""
    user = User.objects.get(pk=UUID(user_id))
    business, site = _house()
    reference = force_str(urlsafe_base64_encode(user.pk.bytes))
    url = f"{site}/reset/{reference}/{tokens.make_token(user)}/"
    send(mails.reset_mail(business=business, name=user.name, url=url), to=user.email)


@job("accounts.mail_notice", outside=True)
def mail_notice(*, user_id: str, kind: str, at: str) -> None:
    """Tell the person what happened to their log-in."""
    user = User.objects.get(pk=UUID(user_id))
    business, site = _house()
    when, url = _said(datetime.fromisoformat(at)), f"{site}/account/security/"
    mail = notices.notice_mail(kind, business=business, name=user.name, when=when, url=url)
    send(mail, to=user.email)


@job("accounts.mail_reset_asked", outside=True)
def mail_reset_asked(*, reset_id: str) -> None:
    """Tell the person that their second factors will be taken away, unless that is stopped already."""
    reset = FactorReset.objects.select_related("user").get(pk=UUID(reset_id))
    if reset.cancelled_at is not None:
        return
    business, site = _house()
    url = f"{site}/keep-factors/{recovering.token_of(reset)}/"
    mail = notices.reset_asked_mail(
        business=business, name=reset.user.name, when=_said(reset.due_at), url=url
    )
    send(mail, to=reset.user.email)


@job("accounts.carry_out_reset")
def carry_out_reset(*, reset_id: str) -> None:
    """Take a person's second factors away, as promised 72 hours ago."""
    recovering.carry_out_reset(UUID(reset_id), actor=Actor.system("factor reset"), now=clock.now())


def _house() -> tuple[str, str]:
    """In whose name people of the schema entered are written to, and the address of their pages."""
    if in_public():
        return "ProEcommerce", settings.SITE_URL.rstrip("/")
    tenant = current_tenant()
    return tenant.name, site_url(tenant)


def _said(at: datetime) -> str:
    zone = ZoneInfo("UTC") if in_public() else current_tenant().zone
    return f"{at.astimezone(zone):%-d %B %Y, %H:%M %Z}"
