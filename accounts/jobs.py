"""Jobs of accounts: the mails about log-ins, resets whose time has come."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_encode

from accounts import email_changing, mails, notices, passkeys, record_watching, recovering, session_mails
from accounts.inviting import token_of
from accounts.models import EmailChange, FactorReset, Invitation, Session, User, Visit
from accounts.passwords import tokens
from accounts.people import owners
from audit.actors import Actor
from tenants import clock
from tenants.audit_jobs import ask_everywhere
from tenants.context import current_tenant, in_public
from tenants.directory import home_url, site_url, tenant_of_host
from tenants.jobs import enqueue, job, planner
from tenants.mail import send


def place() -> tuple[str, str]:
    """Return whose log-in it is about, and the address of its host: the tenant's, or the platform's."""
    if in_public():
        return "ProEcommerce", settings.SITE_URL.rstrip("/")
    tenant = current_tenant()
    return tenant.name, site_url(tenant)


def said(moment: datetime) -> str:
    """Return the instant in words, in the tenant's time zone."""
    zone = ZoneInfo("UTC") if in_public() else current_tenant().zone
    return f"{moment.astimezone(zone):%-d %B %Y, %H:%M %Z}"


def address_of(user: User, change_id: str) -> str:
    """Return where the person is written to: at their address, or at the one before that change."""
    change = EmailChange.objects.filter(pk=UUID(change_id), user=user).first() if change_id else None
    return change.old_email if change else user.email


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
    user = User.objects.filter(pk=UUID(user_id), is_active=True).first()
    if user is None:
        return  # nobody has the address that was asked for; the page said the same
    business, site = place()
    reference = force_str(urlsafe_base64_encode(user.pk.bytes))
    url = f"{site}/reset/{reference}/{tokens.make_token(user)}/"
    send(mails.reset_mail(business=business, name=user.name, url=url), to=user.email)


@job("accounts.mail_new_device", outside=True)
def mail_new_device(*, session_id: str, change_id: str = "") -> None:
    """Tell a person of a log-in from a device that was not known, if the session is still on record.

    With `change_id`, at the address that they had before that change.
    """
    session = Session.objects.select_related("user").filter(pk=UUID(session_id)).first()
    if session is None:
        return
    business, site = place()
    letter = session_mails.new_device_mail(
        business=business,
        name=session.user.name,
        device=session.device,
        ip=session.ip or "",
        when=said(session.begun_at),
        url=f"{site}/account/sessions/",
    )
    send(letter, to=address_of(session.user, change_id))


@job("accounts.mail_email_change", outside=True)
def mail_email_change(*, change_id: str) -> None:
    """Mail the wished address: the link that confirms it, or that it has a log-in already."""
    change = EmailChange.objects.select_related("user").filter(pk=UUID(change_id)).first()
    if change is None or not email_changing.stands(
        change, change.user, email_changing.CONFIRM, now=clock.now()
    ):
        return
    business, site = place()
    if email_changing.is_taken(change):
        owner = User.objects.get(email__iexact=change.new_email)
        letter = session_mails.address_in_use_mail(business=business, name=owner.name, url=f"{site}/log-in/")
    else:
        url = f"{site}/email/confirm/{email_changing.token_of(change, email_changing.CONFIRM)}/"
        letter = session_mails.confirm_address_mail(business=business, name=change.user.name, url=url)
    send(letter, to=change.new_email)


@job("accounts.mail_email_changed", outside=True)
def mail_email_changed(*, change_id: str) -> None:
    """Tell the old address of the change, with the link that undoes it."""
    change = EmailChange.objects.select_related("user").filter(pk=UUID(change_id)).first()
    if change is None or change.undo_until is None or change.undone_at is not None:
        return
    business, site = place()
    url = f"{site}/email/undo/{email_changing.token_of(change, email_changing.UNDO)}/"
    letter = session_mails.address_changed_mail(
        business=business,
        name=change.user.name,
        new_email=change.new_email,
        until=said(change.undo_until),
        url=url,
    )
    send(letter, to=change.old_email)


@job("accounts.mail_notice", outside=True)
def mail_notice(*, user_id: str, kind: str, at: str, change_id: str = "") -> None:
    """Tell the person what happened to their log-in; with `change_id`, at the address before that change."""
    user = User.objects.get(pk=UUID(user_id))
    business, site = place()
    when, url = said(datetime.fromisoformat(at)), f"{site}/account/security/"
    mail = notices.notice_mail(kind, business=business, name=user.name, when=when, url=url)
    send(mail, to=address_of(user, change_id))


@job("accounts.mail_reset_asked", outside=True)
def mail_reset_asked(*, reset_id: str) -> None:
    """Tell the person that their second factors will be taken away, unless that is stopped already."""
    reset = FactorReset.objects.select_related("user").get(pk=UUID(reset_id))
    if reset.cancelled_at is not None:
        return
    business, site = place()
    url = f"{site}/keep-factors/{recovering.token_of(reset)}/"
    mail = notices.reset_asked_mail(business=business, name=reset.user.name, when=said(reset.due_at), url=url)
    send(mail, to=reset.user.email)


@job("accounts.carry_out_reset")
def carry_out_reset(*, reset_id: str) -> None:
    """Take a person's second factors away, as promised 72 hours ago."""
    recovering.carry_out_reset(UUID(reset_id), actor=Actor.system("factor reset"), now=clock.now())


@job("accounts.mail_handed_over", outside=True)
def mail_handed_over(*, user_id: str, before: str, after: str) -> None:
    """Tell one of the two that the tenant has another owner."""
    user, tenant = User.objects.get(pk=UUID(user_id)), current_tenant()
    url = f"{site_url(tenant)}/manage/"
    mail = mails.handed_over_mail(business=tenant.name, name=user.name, before=before, after=after, url=url)
    send(mail, to=user.email)


@job("accounts.tell_of_host")
def tell_of_host(*, hostname: str, problem: str) -> None:
    """Have every owner told that a host of their own is not shown to be theirs any more."""
    for owner in owners():
        enqueue("accounts.mail_host", user_id=str(owner.pk), hostname=hostname, problem=problem)


@job("accounts.forget_host")
def forget_host(*, hostname: str) -> None:
    """Take away the passkeys that worked only at a host which the tenant gave up, unless it is back."""
    if tenant_of_host(hostname) != current_tenant():
        passkeys.forget_host(hostname, actor=Actor.system("host removed"), now=clock.now())


@job("accounts.mail_host", outside=True)
def mail_host(*, user_id: str, hostname: str, problem: str) -> None:
    """Tell an owner of it."""
    user, tenant = User.objects.get(pk=UUID(user_id)), current_tenant()
    url = f"{home_url(tenant)}/manage/settings/hosts/"
    words = {"business": tenant.name, "name": user.name, "hostname": hostname, "problem": problem}
    send(mails.host_mail(**words, url=url), to=user.email)


@job("accounts.mail_roll_stripe_key", outside=True)
def mail_roll_stripe_key(*, user_id: str) -> None:
    """Ask an owner to roll the restricted key of Stripe."""
    user, tenant = User.objects.get(pk=UUID(user_id)), current_tenant()
    url = f"{home_url(tenant)}/manage/settings/stripe/"
    send(mails.roll_stripe_key_mail(business=tenant.name, name=user.name, url=url), to=user.email)


@job("accounts.check_record", outside=True)
def check_record() -> None:
    """Walk the audit record of the schema entered."""
    record_watching.watch(actor=Actor.system("record check"), now=clock.now())


@job("accounts.mail_record_broken", outside=True)
def mail_record_broken(*, user_id: str, business: str, problem: str) -> None:
    """Tell an owner, or somebody of the platform, that a record is not whole."""
    person, (_, url) = User.objects.get(pk=UUID(user_id)), place()
    page = f"{url}/admin/audit/auditevent/" if in_public() else f"{url}/manage/audit/"
    send(mails.record_mail(business=business, name=person.name, problem=problem, url=page), to=person.email)


@planner
def plan_record_checks(now: datetime) -> None:
    """Ask once a day for the check of each schema's record."""
    ask_everywhere("accounts.check_record", now=now)


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
