"""Erasing: refused while it must be, done once, taken up after a kill, done again after a restore."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from accounts.models import Contact, Customer, User
from accounts.people import add_contact
from accounts.privacy_scope import of_customer as of
from audit.models import AuditEvent
from billing.models import Dispute, Payment, PaymentMethod
from privacy import erasing, erasure_log, planning
from privacy.errors import Refused
from privacy.models import Closing, Erasure, Hold
from privacy.subjects import Subject
from tests.accounts.conftest import log_in
from tests.billing.payments import standin
from tests.billing.portal import making
from tests.privacy.ending import estate
from vault import subject_keys

ASKED = Erasure.Because.ASKED
BUCKET = "erasure-tests"


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    sent: list[Any] = []
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: sent.append((to, letter)))
    return sent


def test_the_plan_says_what_goes_what_stays_on_which_law_and_until_when(tenant: Any, now: datetime) -> None:
    account = making.account()
    making.invoice(account.customer, due=now.date())
    plan = planning.plan(of(account.customer), now=now)
    assert {"accounts.Contact"} <= {item.label for item in plan.goes}
    emptied = {item.label: item.fields for item in plan.emptied}
    assert "phone" in emptied["accounts.Customer"] and "password" in emptied["accounts.User"]
    invoice = next(item for item in plan.stays if item.label == "billing.Invoice")
    assert invoice.rows == 1 and "tax" in invoice.law
    assert invoice.until == now.date().replace(year=now.year + 7).isoformat()
    assert "buyer" in invoice.fields
    assert "Nora" not in str(plan.as_json)


def test_it_is_refused_under_a_hold_and_while_money_is_under_way(
    tenant: Any, actor: Any, now: datetime
) -> None:
    account = making.account()
    invoice = making.invoice(account.customer, due=now.date())
    standing = Hold.objects.create(
        subject_kind="user", subject_id=str(account.user.pk), reason="court", placed_by="x", placed_at=now,
        review_on=now.date(),
    )  # fmt: skip

    def refusal() -> str:
        with pytest.raises(Refused) as refused:
            erasing.begin(of(account.customer), because=ASKED, actor=actor, now=now)
        return str(refused.value)

    assert "legal matter" in refusal(), "of a log-in that would go with it, too"
    standing.lifted_at = now
    standing.save()
    payment = Payment.objects.create(
        invoice=invoice, customer=account.customer, method="card", state="processing", amount=1,
        currency="EUR", created_at=now,
    )  # fmt: skip
    assert "under way" in refusal()
    Payment.objects.update(state="succeeded")
    Dispute.objects.create(
        payment=payment, external_id="dp", status="needs_response", amount=1, currency="EUR", opened_at=now
    )
    assert "disputed" in refusal()
    assert not Erasure.objects.exists() and not Closing.objects.exists()
    Dispute.objects.update(status="won")
    assert erasing.begin(of(account.customer), because=ASKED, actor=actor, now=now)


def test_the_last_owner_is_told_what_to_do_first(tenant: Any, actor: Any, now: datetime) -> None:
    owner, account = making.person("olga@x.example", "owner"), making.account()
    for user, said in ((owner, "close the workspace"), (account.user, "Erase that account")):
        with pytest.raises(Refused, match=said):
            erasing.begin(Subject("user", str(user.pk)), because=ASKED, actor=actor, now=now)
    making.person("otto@x.example", "owner")
    assert erasing.begin(Subject("user", str(owner.pk)), because=ASKED, actor=actor, now=now)


def test_killed_between_two_steps_it_goes_on_after_the_last_that_was_done(
    tenant: Any, actor: Any, now: datetime, letters: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = making.account()
    erasure = erasing.begin(of(account.customer), because=ASKED, actor=actor, now=now)
    again = erasing.begin(of(account.customer), because=ASKED, actor=actor, now=now)
    assert again.pk == erasure.pk, "asked twice, done once"
    steps, ran = dict(erasing._steps), []

    def counted(name: str) -> Any:
        def step(subjects: Any, at: datetime) -> int:
            ran.append(name)
            return steps[name](subjects, at)

        return step

    def killed(subjects: Any, at: datetime) -> int:
        raise KeyboardInterrupt

    names = list(steps)
    for dead in names[1:]:
        monkeypatch.setattr(
            erasing, "_steps", {name: killed if name == dead else counted(name) for name in names}
        )
        with pytest.raises(KeyboardInterrupt):
            erasing.carry_out(erasure.pk, actor=actor, now=now)
    monkeypatch.setattr(erasing, "_steps", {name: counted(name) for name in names})
    destroy = subject_keys.destroy
    monkeypatch.setattr(subject_keys, "destroy", _raises_once(destroy))
    with pytest.raises(KeyboardInterrupt):
        erasing.carry_out(erasure.pk, actor=actor, now=now)
    assert Customer.objects.get().name == "Nora Lind", "rows, fields and keys go together or not at all"
    assert erasing.carry_out(erasure.pk, actor=actor, now=now)
    assert ran == names, "each step once"
    assert Customer.objects.get().name == "Erased" and not Contact.objects.exists()
    assert erasing.carry_out(erasure.pk, actor=actor, now=now), "and again changes nothing"
    assert len(letters) == 1
    said = " ".join(letters[0][1].text.split())
    for kept in ("Requests of the last days, if", "Requests about personal data, if", "365 days old"):
        assert kept in said, "what no log-in leads to is named all the same"
    assert AuditEvent.objects.filter(action="erasure.done").count() == 1


def _raises_once(then: Any) -> Any:
    calls: list[int] = []

    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return then(*args, **kwargs)

    return call


def test_stripe_forgets_cards_name_and_address(shop: Any, now: datetime, letters: list[Any]) -> None:
    account = making.account("ada@x.example")
    standin.with_card(account.customer, now)
    assert standin.objects("customer")[0]["email"] == "ada@x.example"
    erasing.begin(of(account.customer), because=ASKED, actor=standin.SYSTEM, now=now)
    standin.work(now)
    assert not erasing.pending()
    assert standin.objects("payment_method")[0]["customer"] is None
    left = standin.objects("customer")
    assert not left or (left[0]["email"], left[0]["name"]) in {("", ""), (None, None)}
    card = PaymentMethod.objects.get()
    assert card.external_id.startswith("erased-") and card.last4 == ""
    assert Erasure.objects.get().report["cards and customer at Stripe"] == 2


def test_after_a_restore_whoever_was_erased_is_erased_again(
    shop: Any, now: datetime, letters: list[Any]
) -> None:
    estate.s3().create_bucket(Bucket=BUCKET)
    account, schema = making.account("ada@x.example"), shop.schema_name
    with override_settings(ERASURE_BUCKET=BUCKET):
        erasing.begin(of(account.customer), because=ASKED, actor=standin.SYSTEM, now=now)
        standin.work(now)
        standin.work(now + timedelta(seconds=30))
        mine = [entry for entry in erasure_log.logged() if entry.schema_name == schema]
        assert {each.subject.kind for each in mine} == {"customer", "user"}
        assert estate.in_buckets("ada@x.example") == [], "ids, no names"
        assert _replayed(schema) == {"is erased"}
        # As an older database knew it: nothing of the erasure, all of the person.
        Erasure.objects.all().delete()
        with psycopg.connect(estate.admin_url()) as admin:
            admin.execute("SET session_replication_role = replica")
            admin.execute(f"DELETE FROM {schema}.vault_subjectkey")
        User.objects.filter(pk=account.user.pk).update(email="ada@x.example", name="Ada", is_active=True)
        Customer.objects.update(email="ada@x.example", name="Ada")
        add_contact(account.user, account.customer, actor=standin.SYSTEM, now=now)
        assert _replayed(schema) == {"erased again", "is erased"}, "the log-in went with the customer"
        assert set(User.objects.values_list("name", flat=True)) == {"Erased"}
        assert Customer.objects.get().name == "Erased"
        assert _replayed(schema) == {"is erased"}
    with override_settings(ERASURE_BUCKET=""), pytest.raises(CommandError, match="ERASURE_BUCKET"):
        call_command("replay_erasures")


def _replayed(schema: str) -> set[str]:
    out = StringIO()
    call_command("replay_erasures", stdout=out)
    return {line.partition(": ")[2] for line in out.getvalue().splitlines() if line.startswith(schema)}


def test_pages_show_the_plan_ask_who_it_is_and_take_the_word(
    tenant: Any, now: datetime, letters: list[Any]
) -> None:
    account = making.account()
    making.invoice(account.customer, due=now.date())
    client = Client(HTTP_HOST="alpha.localhost")
    assert client.get("/account/privacy/erasure/").status_code == 302
    log_in(client, "nora@lind.example", making.PASSWORD)
    page = client.get("/account/privacy/erasure/").content.decode()
    assert "What stays, because the law says so" in page and "Directive 2006/112/EC" in page
    registers = {each.what for each in planning.registers(now=now)}
    assert {
        "Requests of the last days",
        "Requests about personal data",
        "Disclosures to authorities",
    } < registers
    assert all(each in page for each in registers)
    overview = client.get("/account/privacy/").content.decode()
    assert all(each in overview for each in registers), "what is not shown there is named (D1)"
    assert client.get("/account/privacy/erasure/?of=x").status_code == 404
    assert "Erase that account" in client.get("/account/privacy/erasure/?of=me").content.decode()
    assert client.post("/account/privacy/erasure/", {"word": "yes"}).status_code == 422
    assert not Erasure.objects.exists()
    assert client.post("/account/privacy/erasure/", {"word": "erase"}).status_code == 302
    assert "It is being erased" in client.get("/account/privacy/erasure/").content.decode()
    erasure = Erasure.objects.get()
    assert {item["label"] for item in erasure.plan["stays"]} >= {"billing.Invoice"}
    erasing.carry_out(erasure.pk, actor=standin.SYSTEM, now=now)
    assert client.get("/account/privacy/erasure/").status_code == 302, "logged out with the log-in itself"
    assert log_in(client, "nora@lind.example", making.PASSWORD).status_code != 302


def test_an_old_confirmation_is_asked_for_again(tenant: Any, now: datetime) -> None:
    making.account()
    client = Client(HTTP_HOST="alpha.localhost")
    log_in(client, "nora@lind.example", making.PASSWORD)
    session = client.session
    session["confirmed_at"] = (now - timedelta(minutes=16)).timestamp()
    session.save()
    for path in ("/account/privacy/erasure/", "/account/closing/"):
        answer = client.post(path, {"word": "erase", "what": "close"})
        assert answer.status_code == 302 and "/account/confirm/" in answer["Location"]
    assert not Erasure.objects.exists() and not Closing.objects.exists()
