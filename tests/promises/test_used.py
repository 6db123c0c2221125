"""What it is used for: U3, U5, U6, U7."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils.html import escape

from accounts.jobs import mail_reset
from accounts.models import User
from accounts.privacy_scope import of_customer, of_user
from audit.models import AuditEvent
from audit.reading import opened
from audit.verifying import verify
from privacy import consenting, inventory, policy_tables, policy_text, restricting
from privacy.inventory import Basis, Erasure, Purpose
from privacy.marketing import Offer, send_marketing
from tests import logging_in
from tests.accounts.conftest import log_in
from tests.billing.portal import making

WRONG = "not the password at all"


def test_u3_abuse_is_seen_slowed_down_and_on_a_trail(
    tenant: Any, browser: Any, people: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A robot guesses: it is told to wait, the guard's log has its address, the audit trail has every try."""
    people()
    answers = [log_in(browser(REMOTE_ADDR="192.0.2.66"), password=WRONG) for _ in range(11)]
    assert [each.status_code for each in answers] == [422] * 10 + [429]
    assert int(answers[-1]["Retry-After"]) > 0
    lines = [each.getMessage() for each in caplog.records if each.name == "proecommerce.security"]
    assert [line.split()[0] for line in lines] == ["event=login_failed"] * 10 + ["event=limit_hit"]
    assert all("ip=192.0.2.66" in line for line in lines)
    failed = opened(AuditEvent.objects.filter(action="user.login_failed"))
    assert len(failed) >= 10 and {each.ip for each in failed} == {"192.0.2.66"}
    assert verify().problem is None


def test_u7_each_use_rests_on_one_legal_basis() -> None:
    """Of every field, and as the policy tells it; consent is what marketing rests on, and it alone."""
    used = 0
    for holding in inventory.holdings():
        for name, data in holding.personal.items():
            where = f"{holding.label}.{name}"
            assert isinstance(data.basis, Basis) and data.purposes, where
            assert (data.basis is Basis.CONSENT) == (Purpose.MARKETING in data.purposes), where
            if data.erasure is Erasure.KEPT:
                assert data.basis in {Basis.LEGAL_OBLIGATION, Basis.LEGITIMATE_INTEREST}, where
            used += 1
    assert used > 100
    html = policy_text.present().html
    for row in policy_tables.collected(inventory.holdings()):
        for use in row.uses:
            purpose, _, bases = use.partition(": ")
            assert set(bases.split("; ")) <= {each.value for each in Basis} and purpose
            assert escape(use) in html


def test_u5_what_a_person_needs_is_mailed_whatever_they_chose(tenant: Any, mailoutbox: list[Any]) -> None:
    """News refused and processing restricted: the link for a new password goes out all the same."""
    account = making.account()
    for subject in (of_user(account.user), of_customer(account.customer)):
        restricting.restrict(subject, reason="dispute", actor=making.ACTOR, now=making.NOW)
    assert not consenting.may_market(of_user(account.user))
    mail_reset(user_id=str(account.user.pk))
    assert [mail.to for mail in mailoutbox] == [["nora@lind.example"]]
    assert "List-Unsubscribe" not in mailoutbox[0].extra_headers


def test_u6_news_only_after_opting_in_and_out_again_in_the_portal_or_by_one_click(
    tenant: Any, browser: Any, mailoutbox: list[Any]
) -> None:
    subject = of_user(making.account().user)
    offer = Offer("Autumn", "Cheaper hosting.")
    assert not send_marketing(offer, subject)
    client = browser()
    logging_in.enter(client, User.objects.get(pk=subject.id))
    client.post("/account/privacy/news/", {"news": "on"})
    assert send_marketing(offer, subject)
    mail = mailoutbox[0]
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = urlsplit(mail.extra_headers["List-Unsubscribe"].strip("<>")).path
    assert browser(enforce_csrf_checks=True).post(path).status_code == 200
    assert not send_marketing(offer, subject) and len(mailoutbox) == 1
