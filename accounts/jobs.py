"""Jobs of accounts: the mails with a link."""

from uuid import UUID

from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_encode

from accounts import mails
from accounts.inviting import token_of
from accounts.models import Invitation, User, Visit
from accounts.passwords import tokens
from tenants.context import current_tenant
from tenants.directory import site_url
from tenants.jobs import job
from tenants.mail import send


@job("accounts.mail_invitation", outside=True)
def mail_invitation(*, invitation_id: str) -> None:
    """Mail the invitation's link, unless it was accepted meanwhile."""
    invitation = Invitation.objects.select_related("customer", "invited_by").get(pk=UUID(invitation_id))
    if invitation.accepted_at is not None or invitation.withdrawn_at is not None:
        return
    tenant = current_tenant()
    by, customer = invitation.invited_by, invitation.customer
    mail = mails.invitation_mail(
        business=tenant.name,
        name=invitation.name,
        url=f"{site_url(tenant)}/invitation/{token_of(invitation)}/",
        works_here=customer is None,
        customer=str(customer or ""),
        by=by.name if by is not None and by.role == User.Role.CONTACT else "",
    )
    send(mail, to=invitation.email)


@job("accounts.mail_reset", outside=True)
def mail_reset(*, user_id: str) -> None:
    """Mail the link that sets a new password."""
    user = User.objects.get(pk=UUID(user_id))
    tenant = current_tenant()
    reference = force_str(urlsafe_base64_encode(user.pk.bytes))
    url = f"{site_url(tenant)}/reset/{reference}/{tokens.make_token(user)}/"
    send(mails.reset_mail(business=tenant.name, name=user.name, url=url), to=user.email)


@job("accounts.mail_handed_over", outside=True)
def mail_handed_over(*, user_id: str, before: str, after: str) -> None:
    """Tell one of the two that the tenant has another owner."""
    user, tenant = User.objects.get(pk=UUID(user_id)), current_tenant()
    url = f"{site_url(tenant)}/manage/"
    mail = mails.handed_over_mail(business=tenant.name, name=user.name, before=before, after=after, url=url)
    send(mail, to=user.email)


@job("accounts.mail_visit", outside=True)
def mail_visit(*, visit_id: str, user_id: str) -> None:
    """Tell an owner that somebody of the platform has entered."""
    visit = Visit.objects.select_related("user").get(pk=UUID(visit_id))
    owner, tenant = User.objects.get(pk=UUID(user_id)), current_tenant()
    mail = mails.visit_mail(
        business=tenant.name,
        name=owner.name,
        staff=visit.staff_label,
        user=f"{visit.user.name} <{visit.user.email}>",
        reason=visit.reason,
        url=f"{site_url(tenant)}/manage/audit/?action=visit.begun",
    )
    send(mail, to=owner.email)
