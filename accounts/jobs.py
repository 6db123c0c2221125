"""Jobs of accounts: the mails with a link."""

from uuid import UUID

from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_encode

from accounts import mails
from accounts.inviting import token_of
from accounts.models import Invitation, User
from accounts.passwords import tokens
from tenants.context import current_tenant
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
    tenant = current_tenant()
    reference = force_str(urlsafe_base64_encode(user.pk.bytes))
    url = f"{site_url(tenant)}/reset/{reference}/{tokens.make_token(user)}/"
    send(mails.reset_mail(business=tenant.name, name=user.name, url=url), to=user.email)
