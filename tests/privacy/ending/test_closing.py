"""Closing an account: what ends, how it is undone, what goes after 30 days, and the books after 7 years."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts import closing as reopening
from accounts.models import Customer, Session, User
from accounts.people import add_contact
from accounts.privacy_scope import of_customer as of
from audit.models import AuditEvent
from billing import drafting, ledger_checking, payments, purging
from billing.models import (
    BillingSettings,
    Invoice,
    JournalEntry,
    PaymentProfile,
    Posting,
    StripeConnection,
    Subscription,
)
from privacy import closing, consenting, ending, erasing, inventory, retention, telling
from privacy.errors import Refused
from privacy.inventory import Retention
from privacy.models import Closing, Erasure, Hold
from privacy.subjects import Subject
from tenants.context import enter, enter_public
from tenants.directory import home_host
from tenants.models import Host, HostProof, Job, Tenant
from tests.accounts.conftest import log_in
from tests.billing.payments import standin
from tests.billing.portal import making

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def jobs(name: str, schema: str) -> list[dict[str, Any]]:
    with enter_public():
        return [job.args for job in Job.objects.filter(name=name, schema_name=schema)]


def years_ago(now: datetime, years: int = 7) -> datetime:
    """The same by the database's own counting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now() - make_interval(years => %s)", [years])
        found: datetime = cursor.fetchone()[0]
        return found


def hold(subject: Subject, now: datetime) -> Hold:
    return Hold.objects.create(
        subject_kind=subject.kind, subject_id=subject.id, reason="court", placed_by="x", placed_at=now,
        review_on=now.date(),
    )  # fmt: skip


def test_closing_ends_what_runs_and_one_click_begins_it_again(tenant: Any, actor: Any, now: datetime) -> None:
    account = making.account()
    customer, price = account.customer, making.price()
    active = making.subscription(customer, price, now.date() + 9 * DAY)
    paused = making.subscription(customer, price, now.date() + 9 * DAY, status="paused", paused_reason="x")
    gone = making.subscription(customer, price, now.date(), status="cancelled")
    making.card(customer)
    making.autopay(customer)
    making.invoice(customer, due=now.date())
    assert closing.told_before(of(customer)) == [
        "€16.66 is still to be paid. Closing the account does not change that."
    ]
    made = closing.close(of(customer), actor=actor, now=now)
    customer.refresh_from_db()
    assert (customer.status, made.final_at) == ("closed", now + 30 * DAY)
    states = dict(Subscription.objects.values_list("pk", "status"))
    assert set(states.values()) == {"cancelled"}
    assert not PaymentProfile.objects.get().autopay
    line = {"description": "x", "amount": 100}
    with pytest.raises(Refused, match="closed"):
        drafting.draft(customer, lines=[line], due_on=now.date(), actor=actor, now=now)
    with pytest.raises(Refused, match="already"):
        closing.close(of(customer), actor=actor, now=now)
    assert jobs("privacy.mail_closing", tenant.schema_name)[-1]["which"] == "begun"

    closing.undo(of(customer), actor=actor, now=now + 29 * DAY)
    customer.refresh_from_db()
    states = dict(Subscription.objects.values_list("pk", "status"))
    assert states == {active.pk: "active", paused.pk: "paused", gone.pk: "cancelled"}
    active.refresh_from_db()
    assert active.next_due_on is not None and active.next_due_on >= (now + 29 * DAY).date(), "not in arrears"
    assert (customer.status, PaymentProfile.objects.get().autopay) == ("active", True)
    with pytest.raises(Refused, match="open"):
        closing.undo(of(customer), actor=actor, now=now)
    found = AuditEvent.objects.filter(action__startswith="closing.").order_by("seq")
    assert list(found.values_list("action", flat=True)) == ["closing.asked", "closing.undone"]


def test_its_people_are_written_to_at_the_start_and_a_week_before_the_end(
    tenant: Any, actor: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = making.account("nora@lind.example")
    sent: list[Any] = []
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: sent.append((to, letter)))
    closing.close(of(account.customer), actor=actor, now=now)
    telling.tell_of_closing(of(account.customer), which="begun")
    assert [to for to, _ in sent] == ["nora@lind.example"], "customer and owner have one address"
    assert "/account/closing/" in sent[0][1].text and "one click" in sent[0][1].text
    for days, number in ((22, 0), (23, 1), (24, 0)):
        assert closing.remind("customer", now=now + days * DAY) == number
    closing.undo(of(account.customer), actor=actor, now=now)
    assert telling.tell_of_closing(of(account.customer), which="soon") == 0


@pytest.mark.parametrize("days", [30, 31])
def test_after_30_days_all_but_the_books_is_erased_and_nothing_can_be_undone(
    tenant: Any, actor: Any, now: datetime, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: None)
    account = making.account()
    making.invoice(account.customer, due=now.date())
    closing.close(of(account.customer), actor=actor, now=now)
    retention.run(now=now + 30 * DAY - MINUTE, dry_run=False, actor=actor)
    assert not erasing.pending()
    standing = hold(of(account.customer), now)
    retention.run(now=now + days * DAY, dry_run=False, actor=actor)
    assert not erasing.pending(), "under a hold"
    standing.lifted_at = now
    standing.save()
    retention.run(now=now + days * DAY, dry_run=False, actor=actor)
    with pytest.raises(Refused, match="30 days are over"):
        closing.undo(of(account.customer), actor=actor, now=now + days * DAY)
    (pk,) = erasing.pending()
    assert erasing.carry_out(pk, actor=actor, now=now + days * DAY)
    customer = Customer.objects.get()
    assert (customer.name, customer.city, customer.country) == ("Erased", "", "DE")
    assert Invoice.objects.get().buyer["name"] == "Nora Lind"
    assert Closing.objects.get().done_at is not None
    assert Closing.objects.get().closed_at == now, "the seven years count from the first day"


def _with_books(mark: str, now: datetime, actor: Any) -> Customer:
    """A customer with a paid invoice, all of it in the ledger."""
    customer = making.account(f"{mark}@x.example").customer
    invoice = standin.make_invoice(customer, now)
    payments.record_manual(invoice, amount=11900, received_on=now.date(), actor=actor, now=now)
    return customer


def _purge(customer: Customer) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT billing_purge_closed(%s)", [customer.pk])


def test_books_go_after_seven_years_by_the_databases_own_look_and_the_ledger_stays_balanced(
    fresh_tenant: Any, actor: Any, now: datetime, backdate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: None)
    schema = fresh_tenant.schema_name
    gone, stays = _with_books("gone", now, actor), _with_books("stays", now, actor)
    with pytest.raises(DatabaseError, match="not closed for good"):
        _purge(gone)
    for each in (gone, stays):
        erasure = erasing.begin(of(each), because=Erasure.Because.ASKED, actor=actor, now=now)
        assert erasing.carry_out(erasure.pk, actor=actor, now=now)
    with pytest.raises(DatabaseError, match="less than seven years"):
        _purge(gone)
    refused = "DELETE FROM billing_posting", "DELETE FROM billing_journalentry", "DELETE FROM billing_invoice"
    for statement in refused:  # nor does the application with the word that the function says
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('proecommerce.purging', 'closed account', true)")
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute(statement)
    with pytest.raises(DatabaseError, match="not in the past"), transaction.atomic():
        Closing.objects.create(
            subject_kind="customer", subject_id="x", closed_at=now - 3000 * DAY, final_at=now
        )
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Closing.objects.filter(subject_id=str(gone.pk)).update(closed_at=now - 3000 * DAY)

    backdate(of(gone), years_ago(now) + MINUTE, schema)
    purging.closed_accounts(now=now, dry_run=False, actor=actor)
    assert Invoice.objects.count() == 2, "a minute is missing"
    (left,) = purging.closed_accounts(now=now + 9 * DAY, dry_run=False, actor=actor)
    assert (left.count, left.failed) == (0, 1), "whatever clock the application has"
    backdate(of(gone), years_ago(now) - MINUTE, schema)
    standing = hold(of(gone), now)
    purging.closed_accounts(now=now, dry_run=False, actor=actor)
    with pytest.raises(DatabaseError, match="legal hold"):
        _purge(gone)
    standing.lifted_at = now
    standing.save()
    entries = JournalEntry.objects.filter(customer=gone).count()
    assert entries == 2
    (would,) = purging.closed_accounts(now=now, dry_run=True, actor=actor)
    assert would.count == 1
    swept = {each.table: each.count for each in purging.closed_accounts(now=now, dry_run=False, actor=actor)}
    assert swept["billing_invoice"] == swept["billing_payment"] == swept["accounts_customer"] == 1
    assert (swept["billing_journalentry"], swept["billing_posting"]) == (2, 4)
    assert list(Customer.objects.all()) == [stays]
    assert Invoice.objects.get().customer == stays and Posting.objects.count() == 4
    assert ledger_checking.check().is_whole
    assert not any(each.count for each in purging.closed_accounts(now=now, dry_run=False, actor=actor))


def test_the_database_counts_seven_years_to_the_day_also_from_29_february(tenant: Any) -> None:
    """The comparison of the function, at instants around each anniversary."""
    began = datetime(2024, 2, 29, 15, tzinfo=UTC)
    looks = {
        datetime(2031, 2, 28, 23, 59, 59, tzinfo=UTC): False,
        datetime(2031, 3, 1, tzinfo=UTC): True,
        datetime(2031, 3, 1, 15, tzinfo=UTC): True,
    }
    for look, over in looks.items():
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s <= %s - interval '7 years'", [began, look])
            assert cursor.fetchone()[0] is over
        assert (began <= retention.over_before(Retention.BILLING, look)) is over


def test_a_workspace_is_frozen_opened_again_by_its_owners_link_and_goes_after_seven_years(
    fresh_tenant: Any, actor: Any, now: datetime, backdate: Any, admin_rows: Callable[[str], list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    sent: list[Any] = []
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: sent.append((to, letter)))
    tenant, client = fresh_tenant, Client(HTTP_HOST=home_host(fresh_tenant))
    subject = Subject("tenant", str(tenant.pk))
    making.person("olga@x.example", "owner", "Olga")
    account = making.account("cust@x.example")
    with transaction.atomic():
        making.invoice(account.customer, due=now.date())
        standin.connect(now)
        BillingSettings.objects.update(email="olga@fresh.example", logo=b"x", logo_type="image/png")
        person = Subject("user", str(account.user.pk))
        consenting.give(person, how="page", actor=actor, now=now)
        consenting.withdraw(person, how="link", actor=actor, now=now + MINUTE)
    with enter_public():
        HostProof.objects.create(
            hostname="my.fresh.example", tenant=tenant, schema_name=tenant.schema_name, token="x",
            created_at=now, asked_at=now,
        )  # fmt: skip
    assert log_in(client, "olga@x.example", making.PASSWORD).status_code == 302
    with enter(tenant):
        closing.close(subject, actor=actor, now=now)
        assert not Session.objects.filter(ended_at__isnull=True).exists()
        telling.tell_of_closing(subject, which="begun")
    assert client.get("/manage/").status_code == 410
    assert [to for to, _ in sent] == ["olga@x.example"]
    token = sent[0][1].text.partition("/reopen/")[2].partition("/")[0]
    public = Client(HTTP_HOST=settings.SITE_HOST)
    assert public.get(f"/reopen/{token}x/").status_code == 404
    assert b"Fresh Hosting" in public.get(f"/reopen/{token}/").content
    assert public.post(f"/reopen/{token}/").status_code == 302
    assert client.get("/log-in/").status_code == 200
    assert public.get(f"/reopen/{token}/").status_code == 404, "opened once"

    with enter(tenant):
        closing.close(subject, actor=actor, now=now)
    with enter_public():
        ending.closed_tenants(now=now + 29 * DAY, dry_run=False, actor=actor)
        assert not jobs("privacy.end_tenant", tenant.schema_name)
        assert closing.closing_of(subject) is not None
        ending.closed_tenants(now=now + 30 * DAY, dry_run=False, actor=actor)
    assert len(jobs("privacy.end_tenant", tenant.schema_name)) == 1
    with enter(tenant):
        later = now + 30 * DAY
        assert not ending.end_tenant(actor=actor, now=later)
        for pk in erasing.pending():
            assert erasing.carry_out(pk, actor=actor, now=later)
        assert ending.end_tenant(actor=actor, now=later)
        assert set(User.objects.values_list("name", flat=True)) == {"Erased"}
        assert Customer.objects.get().name == "Erased"
        assert Invoice.objects.get().buyer["name"] == "Nora Lind"
        _nothing_of_the_workspace_is_left_but_its_books(tenant)
    _goes_after_seven_years(tenant, subject, actor, now, backdate, admin_rows)


def _nothing_of_the_workspace_is_left_but_its_books(tenant: Any) -> None:
    """R1, of the business itself."""
    assert not StripeConnection.objects.exists()
    settings_row = BillingSettings.objects.get()
    held = inventory.holding_of("billing.BillingSettings").personal
    assert not any(getattr(settings_row, name) for name in held)
    assert settings_row.number_prefix, "what is of nobody stays"
    with enter_public():
        row = Tenant.objects.get(pk=tenant.pk)
        assert (row.name, row.country, row.time_zone) == ("Closed workspace", "", "UTC")
        assert (
            not Host.objects.filter(tenant=row).exists() and not HostProof.objects.filter(tenant=row).exists()
        )


def _goes_after_seven_years(
    tenant: Any, subject: Subject, actor: Any, now: datetime, backdate: Any, admin_rows: Any
) -> None:
    with enter_public():
        backdate(subject, years_ago(now) + MINUTE, "public")
        with pytest.raises(DatabaseError, match="seven years ago"):
            ending.drop(tenant, because="a test", actor=actor, now=now)
        backdate(subject, years_ago(now) - MINUTE, "public")
        (swept,) = ending.tenants_books(now=now, dry_run=True, actor=actor)
        assert swept.count >= 1
        ending.tenants_books(now=now, dry_run=False, actor=actor)
        assert not Tenant.objects.filter(pk=tenant.pk).exists()
        assert not Host.objects.filter(schema_name=tenant.schema_name).exists()
        assert not Job.objects.filter(schema_name=tenant.schema_name).exists()
        assert AuditEvent.objects.filter(action="tenant.dropped", subject_id=str(tenant.pk)).count() == 1
        kept = consenting.kept_by_address("cust@x.example")
        shown = [(row.given, row.how, row.tenant_id, "may mail me news" in row.text) for row in kept]
        assert shown == [(False, "link", tenant.pk, True), (True, "page", tenant.pk, True)]
        for statement in ("DELETE FROM privacy_keptconsent", "UPDATE privacy_keptconsent SET given = true"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
    name = tenant.schema_name
    assert admin_rows(f"SELECT 1 FROM pg_namespace WHERE nspname = '{name}'") == []
    assert admin_rows(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'") == []


def test_only_the_owner_of_a_workspace_opens_it_again(tenant: Any) -> None:
    assert reopening.tenant_of(reopening.token_of(tenant)) is None, "it is open"
    assert reopening.tenant_of("nonsense") is None


def test_somebody_who_acts_for_another_customer_too_is_not_erased_with_one(
    tenant: Any, actor: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: None)
    one, other = making.account("one@x.example"), making.account("other@x.example")
    add_contact(other.user, one.customer, actor=actor, now=now)
    erasure = erasing.begin(of(one.customer), because=Erasure.Because.ASKED, actor=actor, now=now)
    erasing.carry_out(erasure.pk, actor=actor, now=now)
    names = dict(User.objects.values_list("pk", "name"))
    assert names == {one.user.pk: "Erased", other.user.pk: "Nora Lind"}
    assert list(other.user.contacts.values_list("customer", flat=True)) == [other.customer.pk]
