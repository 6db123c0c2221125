"""What people may demand: D3."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Contact, Customer, User
from billing.models import Invoice
from privacy import erasing
from privacy.models import Erasure
from tests.accounts.conftest import log_in
from tests.billing.portal import making


def test_d3_erased_by_oneself_but_for_what_the_law_keeps_and_told_what_why_and_until_when(
    tenant: Any, actor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, letters = datetime.now(UTC) + timedelta(seconds=1), []
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: letters.append((to, letter.text)))
    account = making.account("nora@x.example", phone="+49 40 123456")
    making.invoice(account.customer, due=now.date())
    client = Client(HTTP_HOST="alpha.localhost")
    log_in(client, "nora@x.example", making.PASSWORD)
    page = client.get("/account/privacy/erasure/").content.decode()
    until = f"{now.year + 7}-{now:%m-%d}"
    assert client.post("/account/privacy/erasure/", {"word": "ERASE"}).status_code == 302
    for pk in erasing.pending():
        assert erasing.carry_out(pk, actor=actor, now=now)
    customer, user = Customer.objects.get(), User.objects.get()
    assert (customer.name, customer.phone, customer.city, user.name) == ("Erased", "", "", "Erased")
    assert not user.is_active and not Contact.objects.exists()
    assert Invoice.objects.get().buyer["name"] == "Nora Lind"
    ((to, letter),) = letters
    assert to == "nora@x.example"
    for said in (page, letter, str(Erasure.objects.get().plan)):
        assert "Invoice" in said and "Directive 2006/112/EC" in said and until in said
    assert "nora" not in str((Erasure.objects.get().plan, Erasure.objects.get().report)).lower()
