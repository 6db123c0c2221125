"""Publishing policies in tests: a recipient declared anew, and the jobs that tell people, done in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from types import MappingProxyType
from typing import Any

import pytest
from django.core.mail.backends.locmem import EmailBackend

from privacy import inventory
from privacy.inventory import Recipient
from privacy.publishing import Change, publish
from tenants import clock
from tenants.context import enter_public
from tenants.models import Job, Tenant
from tenants.working import work_off

LABEL, SHARED = "accounts.Customer", "accounts.Totp"


def share(patch: pytest.MonkeyPatch, recipient: Recipient = Recipient.CERTIFICATES) -> None:
    """Let the secrets of authenticator apps go to somebody."""
    holding = inventory.holding_of(SHARED)
    data = holding.personal["secret"]
    personal = {**holding.personal, "secret": data.but(recipients=(*data.recipients, recipient))}
    changed = replace(holding, personal=MappingProxyType(personal))
    patch.setitem(inventory._holdings, SHARED, changed)


def retitle(patch: pytest.MonkeyPatch, title: str) -> None:
    """Call one model something else: no substantial change."""
    patch.setitem(inventory._holdings, LABEL, replace(inventory.holding_of(LABEL), title=title))


def published(summary: str, actor: Any, now: datetime, **more: Any) -> Any:
    with enter_public():
        return publish(Change(summary, **more), actor=actor, now=now)


def only(*slugs: str) -> None:
    """Let these be the only tenants that are open: tests that commit leave some behind."""
    with enter_public():
        Tenant.objects.exclude(slug__in=slugs).update(status=Tenant.Status.CLOSED)


def do_jobs(*names: str) -> int:
    """Work off what is due of these jobs, until nothing is."""
    done = 0
    while True:
        now = clock.wall() + timedelta(seconds=5)
        with enter_public():
            due = Job.objects.filter(state="waiting", run_at__lte=now, name__in=names).order_by("pk")
            ids = list(due.values_list("pk", flat=True))
        if not ids:
            return done
        done += work_off(ids, now=now)


@contextmanager
def refusing(patch: pytest.MonkeyPatch, *addresses: str) -> Iterator[None]:
    """A mail server that takes no mail for these."""
    usual = EmailBackend.send_messages

    def send(self: Any, messages: Any) -> int:
        for each in messages:
            if set(each.to) & set(addresses):
                raise SMTPRecipientsRefused({each.to[0]: (550, b"no such user " + each.to[0].encode())})
        return usual(self, messages)

    with patch.context() as inner:
        inner.setattr(EmailBackend, "send_messages", send)
        yield
