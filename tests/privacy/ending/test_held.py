"""A legal hold against erasing: on the whole workspace, on a customer, on whomever a row is about."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Contact, Customer, Invitation, User
from accounts.people import add_contact
from accounts.privacy_scope import of_customer as of
from accounts.privacy_scope import of_user as who
from privacy import erasing, holding, underage
from privacy.errors import Refused
from privacy.finding import Found
from privacy.models import Erasure, Hold, UnderageReport
from privacy.subjects import Subject
from tenants.context import enter_public
from tests.accounts.conftest import log_in
from tests.billing.portal import making

ASKED = Erasure.Because.ASKED
WORD = {"word": "erase"}


pytestmark = pytest.mark.usefixtures("no_mail")


@contextmanager
def held(schema: str, subject: Subject, actor: Any, now: datetime) -> Iterator[None]:
    hold = holding.place(Found(schema, subject), reason="Case 7", actor=actor, now=now)
    yield
    holding.lift(schema, hold.pk, because="Settled", actor=actor, now=now)


def test_a_hold_on_the_workspace_stops_every_way_to_erase_somebody_in_it(
    tenant: Any, actor: Any, now: datetime
) -> None:
    account = making.account()
    boss = making.person("olga@x.example", "owner")
    subject, workspace = of(account.customer), Subject("tenant", str(tenant.pk))
    person, staff = Client(HTTP_HOST="alpha.localhost"), Client(HTTP_HOST="alpha.localhost")
    log_in(person, account.user.email, making.PASSWORD)
    log_in(staff, boss.email, making.PASSWORD)
    ways = (
        (person, "/account/privacy/erasure/"),
        (staff, f"/manage/customers/{account.customer.pk}/erasure/"),
    )
    report = underage.freeze(
        Found(tenant.schema_name, who(making.person("kid@x.example"))), underage.Report("13"),
        actor=actor, now=now,
    )  # fmt: skip
    with held("public", workspace, actor, now):
        for client, path in ways:
            assert "needed in a legal matter" in client.get(path).content.decode()
            assert "needed in a legal matter" in client.post(path, WORD).content.decode()
        with pytest.raises(Refused, match="legal"):
            underage.decide(report.pk, UnderageReport.Decision.ERASE, "13", actor=actor, now=now)
        assert not Erasure.objects.exists()
    erasure = erasing.begin(subject, because=ASKED, actor=actor, now=now)
    with held("public", workspace, actor, now):
        assert not erasing.carry_out(erasure.pk, actor=actor, now=now), "a job that was queued before"
        assert erasing.pending() == [erasure.pk]
        assert Customer.objects.get().name == "Nora Lind"
    assert erasing.carry_out(erasure.pk, actor=actor, now=now)


def test_a_hold_placed_while_the_steps_are_done_keeps_the_rows(
    tenant: Any, actor: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = making.account()
    erasure = erasing.begin(of(account.customer), because=ASKED, actor=actor, now=now)

    def place(subjects: Any, at: datetime) -> int:
        workspace = Found("public", Subject("tenant", str(tenant.pk)))
        holding.place(workspace, reason="Case 8", actor=actor, now=now)
        return 1

    monkeypatch.setattr(erasing, "_steps", {"a step": place})
    with pytest.raises(Refused, match="legal matter"):
        erasing.carry_out(erasure.pk, actor=actor, now=now)
    assert Customer.objects.get().name == "Nora Lind" and Contact.objects.exists()


def test_whoever_acts_for_a_customer_under_a_hold_is_not_erased_out_of_its_rows(
    tenant: Any, actor: Any, now: datetime
) -> None:
    account, second = making.account(), making.person("otto@lind.example", name="Otto")
    add_contact(second, account.customer, actor=actor, now=now)
    with held(tenant.schema_name, of(account.customer), actor, now):
        with pytest.raises(Refused, match="legal matter"):
            erasing.begin(who(second), because=ASKED, actor=actor, now=now)
        Contact.objects.filter(user=second).delete()
        Invitation.objects.create(
            customer=account.customer,
            email="OTTO@lind.example",
            name="Otto",
            role="contact",
            created_at=now,
            expires_at=now,
        )
        with pytest.raises(Refused, match="legal matter"):
            erasing.begin(who(second), because=ASKED, actor=actor, now=now)
    other = making.account("eve@x.example", name="Eve")
    add_contact(second, other.customer, actor=actor, now=now)
    add_contact(second, account.customer, actor=actor, now=now)
    with held(tenant.schema_name, who(second), actor, now), pytest.raises(Refused, match="legal matter"):
        erasing.begin(of(other.customer), because=ASKED, actor=actor, now=now)
    assert not Erasure.objects.exists()
    erasure = erasing.begin(who(second), because=ASKED, actor=actor, now=now)
    assert erasing.carry_out(erasure.pk, actor=actor, now=now)
    with enter_public():
        assert not Hold.objects.filter(subject_id=str(tenant.pk), lifted_at__isnull=True).exists()
    assert User.objects.get(pk=second.pk).name == "Erased"
