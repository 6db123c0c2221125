"""Jobs of requests: reading the mailbox, the mails, the reminders. All run in the platform's schema."""

import logging
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from audit.actors import Actor
from privacy import confirming, receiving, reminding, request_mails, underage
from privacy.deadlines import Law
from privacy.mailbox_gateway import connected
from privacy.models import DataRequest, Reply
from privacy.staffing import colleague_of
from tenants import clock
from tenants.jobs import enqueue, job, planner
from tenants.mail import send

log = logging.getLogger(__name__)

MINUTES = 5
MESSAGES_AT_ONCE = 200
BY_MAIL = Actor.system("mailbox")


@planner
def plan_requests(now: datetime) -> None:
    """Ask for the mailbox every few minutes, for reminders every hour, for reviews once a day."""
    if settings.PRIVACY_IMAP_URL:
        enqueue("privacy.read_mailbox", key=f"mailbox:{now:%Y-%m-%dT%H}:{now.minute // MINUTES}")
    enqueue("privacy.remind", key=f"privacy_remind:{now:%Y-%m-%dT%H}")
    enqueue("privacy.remind_of_reviews", key=f"privacy_reviews:{now.date()}")


@job("privacy.read_mailbox", outside=True)
def read_mailbox(**_: str) -> None:
    """Take in what is new. A message is marked as read once it is written down, and not before."""
    if not settings.PRIVACY_IMAP_URL:
        return
    with connected(settings.PRIVACY_IMAP_URL) as mailbox:
        for uid in receiving.untaken(mailbox, now=clock.now())[:MESSAGES_AT_ONCE]:
            arrived = mailbox.fetch(uid)
            if arrived is None:
                continue
            try:
                receiving.take_in(arrived, actor=BY_MAIL, now=clock.now())
            except Exception:  # one message's trouble holds up no other; it is tried again
                log.exception("message %d of the mailbox was not taken in", arrived.uid)
                continue
            mailbox.mark_read(arrived)


@job("privacy.remind", outside=True)
def remind(**_: str) -> None:
    """Remind of what waits, and try again what should be erased."""
    reminding.remind(now=clock.now())
    underage.take_up(now=clock.now())


@job("privacy.remind_of_reviews", outside=True)
def remind_of_reviews(**_: str) -> None:
    """Remind of legal holds to be reviewed."""
    reminding.remind_of_reviews(now=clock.now())


@job("privacy.erase_child", outside=True)
def erase_child(*, report_id: str) -> None:
    """Erase somebody under 16, as a person decided."""
    underage.erase(UUID(report_id), now=clock.now())


@job("privacy.mail_receipt", outside=True)
def mail_receipt(*, request_id: str) -> None:
    """Tell the sender that the message arrived, in words that fit known and unknown ones."""
    request = _request(request_id)
    if request.acknowledged_at is None:
        mail = request_mails.receipt_mail(reference=request.reference, by=request.due)
        send(mail, to=request.address)
        receiving.acknowledged(request.pk, actor=BY_MAIL, now=clock.now())


@job("privacy.mail_link", outside=True)
def mail_link(*, request_id: str) -> None:
    """Mail a fresh link to the address on file; it exists nowhere but in that mail."""
    request = _request(request_id)
    link = confirming.make_link(request.pk, actor=BY_MAIL, now=clock.now())
    if link is not None:
        path = reverse("confirm_request", args=[link.token], urlconf=settings.PUBLIC_URLCONF)
        wish = request.get_right_display()
        send(
            request_mails.link_mail(reference=request.reference, wish=wish, url=_url(path)),
            to=link.to,
        )


@job("privacy.mail_old_address", outside=True)
def mail_old_address(*, request_id: str, **_: str) -> None:
    """Tell the address that was on file until lately; it is looked up anew, and stands in no job."""
    request = _request(request_id)
    mail = request_mails.old_address_mail(reference=request.reference, on=request.received_at.date())
    for address in receiving.old_addresses(request):
        send(mail, to=address)


@job("privacy.mail_extension", outside=True)
def mail_extension(*, request_id: str) -> None:
    """Tell the person that it takes longer, and why."""
    request = _request(request_id)
    mail = request_mails.extension_mail(
        reference=request.reference,
        law=Law(request.law),
        because=request.extended_because,
        until=request.due,
    )
    send(mail, to=request.address)


@job("privacy.mail_reply", outside=True)
def mail_reply(*, reply_id: str) -> None:
    """Send what a person wrote, once."""
    reply = Reply.objects.select_related("request").get(pk=UUID(reply_id))
    if reply.sent_at is None:
        by = reply.written_by.partition(" <")[0]
        text = reply.text.reveal()
        mail = request_mails.reply_mail(reference=reply.request.reference, text=text, by=by)
        send(mail, to=reply.sent_to)
        Reply.objects.filter(pk=reply.pk).update(sent_at=clock.now())


@job("privacy.mail_reminder", outside=True)
def mail_reminder(*, request_id: str, staff_id: str) -> None:
    """Remind one of the staff of a request, unless it was closed or they left meanwhile."""
    request, colleague, today = _request(request_id), colleague_of(staff_id), clock.now().date()
    if colleague is None or not request.is_open:
        return
    url = _admin_url(request)
    if request.reminded == reminding.ACKNOWLEDGE and request.acknowledge_by is not None:
        mail = request_mails.acknowledge_mail(
            reference=request.reference, what=str(request), by=request.acknowledge_by, url=url
        )
    else:
        who = f"{request.assigned_to} has it" if request.assigned_to else "Nobody has taken it"
        mail = request_mails.reminder_mail(
            reference=request.reference, what=str(request), state=who, due=request.due, today=today, url=url
        )
    send(mail, to=colleague.email)


@job("privacy.mail_child", outside=True)
def mail_child(*, request_id: str, staff_id: str) -> None:
    """Tell one of the staff that a message speaks of a child."""
    request, colleague = _request(request_id), colleague_of(staff_id)
    if colleague is not None:
        url = _admin_url(request)
        send(request_mails.child_mail(reference=request.reference, url=url), to=colleague.email)


@job("privacy.mail_reviews", outside=True)
def mail_reviews(*, staff_id: str, count: int) -> None:
    """Tell one of the staff of holds to be reviewed."""
    colleague = colleague_of(staff_id)
    if colleague is not None:
        url = _url(reverse("admin:legal_holds", urlconf=settings.PUBLIC_URLCONF))
        send(request_mails.reviews_mail(count=count, url=url), to=colleague.email)


def _request(request_id: str) -> DataRequest:
    return DataRequest.objects.get(pk=UUID(request_id))


def _admin_url(request: DataRequest) -> str:
    path = reverse("admin:privacy_datarequest_change", args=[request.pk], urlconf=settings.PUBLIC_URLCONF)
    return _url(path)


def _url(path: str) -> str:
    return f"{settings.SITE_URL.rstrip('/')}{path}"
