"""Writing to those whose account is closed or who are erased: what goes, what stays, how to undo it."""

from collections.abc import Callable, Sequence
from datetime import datetime

from privacy import closing, planning
from privacy.closing import TENANT, closing_of, whom_to_tell
from privacy.erasing import also
from privacy.erasure_mails import closing_mail, erased_mail
from privacy.subjects import Known, Subject, known
from tenants import mail
from tenants.context import current_tenant, in_public
from tenants.directory import site_url

LOG_IN = "your log-in, your contact details and your saved cards"
WRITTEN = "what you wrote to us and what we answered"
_undo_url: list[Callable[[Subject], str]] = []


def undone_at(url: Callable[[Subject], str]) -> Callable[[Subject], str]:
    """Register the address of the page on which the closing of a subject is undone."""
    _undo_url[:] = [url]
    return url


def tell_of_closing(subject: Subject, *, which: str) -> int:
    """Write that the account was closed (`begun`), or goes for good soon (`soon`); returns to how many."""
    standing, tenant = closing_of(subject), current_tenant()
    if standing is None or standing.done_at is not None:
        return 0
    whose = f"The workspace {tenant.name}" if subject.kind == TENANT else f"Your account at {tenant.name}"
    url = _undo_url[0](subject) if _undo_url else site_url(tenant)
    people = whom_to_tell(subject)
    for person in people:
        letter = closing_mail(
            which,
            business=tenant.name,
            name=person.name,
            whose=whose,
            final=f"{standing.final_at.astimezone(tenant.zone):%-d %B %Y}",
            url=url,
            tenant=subject.kind == TENANT,
        )
        mail.send(letter, to=person.email)
    return len(people)


@also("mail about what is kept")
def tell_of_erasure(subjects: Sequence[Subject], now: datetime) -> int:
    """Write to whoever is erased what stays of it, while the address is known."""
    if not in_public() and current_tenant().is_rehearsal:
        return 0
    business = "ProEcommerce" if in_public() else current_tenant().name
    people = _addresses(subjects)
    plan = planning.plan(subjects[0], now=now).as_json
    gone = WRITTEN if subjects[0].kind == "prospect" else LOG_IN
    for person in people:
        mail.send(erased_mail(business=business, name=person.name, gone=gone, plan=plan), to=person.email)
    return len(people)


def _addresses(subjects: Sequence[Subject]) -> Sequence[Known]:
    if subjects[0].kind == closing.CUSTOMER:
        return whom_to_tell(subjects[0])
    person = known(subjects[0])
    return [person] if person is not None and person.email else []
