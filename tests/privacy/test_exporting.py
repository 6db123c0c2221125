"""A copy's way: asked for, made by the worker, sealed in S3, fetched once more confirmed, gone in a week."""

import io
import resource
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from accounts.grants import Grant
from accounts.models import Customer
from accounts.people import add_contact
from audit.models import AuditEvent
from privacy import access, exporting, files_gateway, packing
from privacy.errors import Refused
from privacy.models import ExportFile
from privacy.subjects import Subject
from tenants import clock
from tenants.context import current_schema, enter, enter_public
from tenants.directory import tenant_of_schema
from tenants.models import HostProof, Job
from tests import logging_in
from tests.billing.portal import making
from tests.privacy.copies import Copy, loaded
from vault import resealing
from vault.files import Sealer, new_key, opened


def stored(export: ExportFile) -> bytes | None:
    """What lies in the bucket, as whoever has the bucket sees it."""
    s3 = boto3.client("s3", endpoint_url=settings.AWS_ENDPOINT_URL, region_name=settings.AWS_DEFAULT_REGION)
    try:
        answer = s3.get_object(Bucket=settings.FILES_BUCKET, Key=exporting.place_of(export))
    except s3.exceptions.NoSuchKey:
        return None
    assert answer["ServerSideEncryption"] == "AES256"
    data: bytes = answer["Body"].read()
    return data


def forget(client: Client) -> None:
    """Let it be long ago that the person said who they are."""
    session = client.session
    del session["confirmed_at"]
    session.save()


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_copy_is_made_sealed_fetched_after_confirming_and_deleted_after_a_week(
    fresh_tenant: Any, account: making.Account, work: Callable[..., int], mailoutbox: list[Any]
) -> None:
    with transaction.atomic():  # an invoice and its lines come together
        making.invoice(account.customer, due=making.TODAY)
    client = Client(HTTP_HOST=f"{fresh_tenant.slug}.localhost")
    logging_in.enter(client, account.user)
    whose = f"customer:{account.customer.pk}"
    assert client.post("/account/privacy/copies/", {"whose": whose}).status_code == 302
    export = ExportFile.objects.get()
    page = client.get(f"/account/privacy/copies/{export.pk}/")
    assert b"Being made" in page.content and b"hx-get" in page.content
    assert work() >= 2

    export.refresh_from_db()
    assert export.is_ready and export.rows > 3 and export.ready_at is not None
    sealed = stored(export)
    assert sealed is not None and sealed[:2] != b"PK" and b"nora@lind.example" not in sealed
    assert exporting.place_of(export) == f"exports/{current_schema()}/{export.pk}.zip"
    assert [mail.to for mail in mailoutbox] == [["nora@lind.example"]]
    assert "/account/privacy/copies/" in mailoutbox[0].body and not mailoutbox[0].attachments
    assert b"hx-get" not in client.get(f"/account/privacy/copies/{export.pk}/").content

    fetch = f"/account/privacy/copies/{export.pk}/fetch/"
    forget(client)
    asked = client.get(fetch)
    assert asked.status_code == 302 and "/account/confirm/" in asked["Location"]
    client.post(asked["Location"], {"password": making.PASSWORD})
    answer = client.get(fetch)
    assert answer["Content-Type"] == "application/zip" and "no-store" in answer["Cache-Control"]
    copy = Copy.of(body(answer))
    copy.check()
    assert copy.rows("accounts_customer")[0]["email"] == "nora@lind.example"
    with enter(fresh_tenant), loaded(copy) as database:
        assert database.execute("SELECT name FROM accounts_customer").fetchall() == [("Nora Lind",)]

    with enter(fresh_tenant):
        assert export.expires_at is not None
        assert not exporting.expire(
            export.pk, actor=making.ACTOR, now=export.expires_at - timedelta(seconds=1)
        )
        job = Job.objects.get(schema_name=current_schema(), name="privacy.expire_export")
        assert job.run_at == export.expires_at and job.args == {"export_id": str(export.pk)}
        assert exporting.expire(export.pk, actor=making.ACTOR, now=export.expires_at)
        export.refresh_from_db()
        assert export.state == "expired" and export.key is None and stored(export) is None
        said = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"export.asked", "export.ready", "export.downloaded", "export.expired"} <= said
    gone = client.get(fetch)
    assert gone.status_code == 302 and gone["Location"] == "/account/privacy/copies/"


def test_only_who_asked_fetches_and_only_while_they_decide_about_the_data(
    fresh_tenant: Any, account: making.Account, work: Callable[..., int]
) -> None:
    other = making.person("other@lind.example")
    contact = add_contact(
        other, account.customer, actor=making.ACTOR, now=making.NOW, grant=Grant.of(["privacy"])
    )
    subject = Subject("customer", str(account.customer.pk))
    export = exporting.ask(subject, asked_by=str(other.pk), actor=making.ACTOR, now=clock.now())
    work()
    mine, theirs = (Client(HTTP_HOST=f"{fresh_tenant.slug}.localhost") for _ in range(2))
    logging_in.enter(mine, account.user)
    logging_in.enter(theirs, other)
    page = f"/account/privacy/copies/{export.pk}/"
    assert mine.get(page).status_code == 404 and theirs.get(page).status_code == 200
    with enter(fresh_tenant):
        contact.permissions = ["invoices"]
        contact.is_owner = False
        contact.save()
    assert theirs.get(page).status_code == 404
    assert (
        theirs.post("/account/privacy/copies/", {"whose": f"customer:{account.customer.pk}"}).status_code
        == 404
    )


def test_there_is_one_at_a_time_and_three_a_day(
    account: making.Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, now = Subject("user", str(account.user.pk)), clock.now()

    def ask(at: Any = now) -> ExportFile:
        return exporting.ask(subject, asked_by=subject.id, actor=making.ACTOR, now=at)

    with monkeypatch.context() as patch:
        patch.setattr(settings, "FILES_BUCKET", "")
        with pytest.raises(Refused, match="FILES_BUCKET"):
            ask()
    first = ask()
    with pytest.raises(Refused, match="being made already"):
        ask()
    for _ in range(2):
        ExportFile.objects.update(state="expired")
        ask()
    ExportFile.objects.update(state="expired")
    with pytest.raises(Refused, match="3 copies within a day"):
        ask()
    later = ask(now + timedelta(days=1, seconds=1))
    assert later.pk != first.pk
    again = ask(now + timedelta(days=2, minutes=1))  # what was never finished does not block for ever
    later.refresh_from_db()
    assert (later.state, again.state) == ("failed", "waiting")


def test_a_copy_that_is_made_twice_is_one_and_one_without_a_bucket_waits(
    account: making.Account, work: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = Subject("user", str(account.user.pk))
    export = exporting.ask(subject, asked_by=subject.id, actor=making.ACTOR, now=clock.now())

    def away(*_: Any) -> None:
        raise files_gateway.FilesUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(files_gateway.Bucket, "put", away)
        work()
    export.refresh_from_db()
    assert export.state == "running"
    exporting.make(export.pk, actor=making.ACTOR, now=clock.now())
    exporting.make(export.pk, actor=making.ACTOR, now=clock.now())
    export.refresh_from_db()
    assert (
        Copy.of(b"".join(exporting.fetch(export, actor=making.ACTOR, now=clock.now()))).manifest["rows"] >= 1
    )
    assert AuditEvent.objects.filter(action="export.ready").count() == 1
    assert Job.objects.filter(schema_name=current_schema(), name="privacy.mail_export_ready").count() == 1


def test_an_owner_takes_the_whole_workspace_and_nobody_else_does(
    fresh_tenant: Any, account: making.Account, work: Callable[..., int]
) -> None:
    host = f"{fresh_tenant.slug}.localhost"
    owner, biller = making.person("o@lind.example", "owner"), making.person("b@lind.example", "billing")
    with transaction.atomic():  # an invoice and its lines come together
        making.invoice(account.customer, due=making.TODAY)
    client, other = Client(HTTP_HOST=host), Client(HTTP_HOST=host)
    logging_in.enter(client, owner)
    logging_in.enter(other, biller)
    with enter_public():
        HostProof.objects.create(
            hostname="my.lind.example", tenant=fresh_tenant, schema_name=fresh_tenant.schema_name, token="x",
            created_at=making.NOW, asked_at=making.NOW,
        )  # fmt: skip
    closing = client.get("/manage/settings/closing/").content
    assert b'href="/manage/settings/copy/"' in closing and b"/account/privacy/copies/" not in closing
    refused = client.post("/manage/settings/closing/", {"word": "CLOSE"})
    assert refused.status_code == 422 and b"Fetch a complete copy first" in refused.content
    assert client.post("/manage/settings/copy/").status_code == 302
    assert other.post("/manage/settings/copy/").status_code == 403
    with enter(fresh_tenant):
        work()
        export = ExportFile.objects.get()
    assert export.is_ready and export.subject_kind == "tenant"
    assert b"Ready" in client.get("/manage/settings/copy/").content
    fetch = f"/manage/settings/copy/{export.pk}/fetch/"
    assert other.get(fetch).status_code == 403
    forget(client)
    asked = client.get(fetch)
    assert "/account/confirm/" in asked["Location"]
    client.post(asked["Location"], {"password": making.PASSWORD})
    copy = Copy.of(body(client.get(fetch)))
    copy.check()
    assert [row["slug"] for row in copy.rows("tenants_tenant")] == [fresh_tenant.slug], "and no other's"
    assert [row["hostname"] for row in copy.rows("tenants_host")] == [host]
    assert [row["hostname"] for row in copy.rows("tenants_hostproof")] == ["my.lind.example"]
    with loaded(copy) as database:
        assert database.execute("SELECT count(*) FROM billing_invoiceline").fetchone() == (1,)
        assert database.execute("SELECT slug FROM tenants_tenant").fetchone() == (fresh_tenant.slug,)
    assert b"You have fetched a complete copy" in client.get("/manage/settings/closing/").content
    assert client.post("/manage/settings/closing/", {"word": "CLOSE"}).status_code == 410


def test_a_workspace_is_closed_without_a_copy_by_who_says_that_none_is_needed(fresh_tenant: Any) -> None:
    client = Client(HTTP_HOST=f"{fresh_tenant.slug}.localhost")
    logging_in.enter(client, making.person("o@lind.example", "owner"))
    assert client.post("/manage/settings/closing/", {"word": "CLOSE", "uncopied": "on"}).status_code == 410


def test_what_is_changed_meanwhile_is_not_in_the_copy(account: making.Account) -> None:
    """Files and dump show one moment: a row that comes in between is in neither."""
    tables = [table for table in access.tables_of_workspace() if table.label == "accounts.Customer"]
    target = io.BytesIO()
    seen: list[int] = []

    def told(done: int, of: int) -> None:
        if not seen:
            schema = connection.schema_name  # type: ignore[attr-defined]

            def another() -> None:
                with enter(tenant_of_schema(schema)):
                    making.customer(f"Late {uuid4().hex}", email="late@lind.example")
                connection.close()

            thread = threading.Thread(target=another)
            thread.start()
            thread.join()
            seen.append(done)

    packing.pack(target, tables, packing.Heading("x", "y", making.NOW), told=told)
    copy = Copy.of(target.getvalue())
    copy.check()
    assert seen == [1] and "late@lind.example" not in copy.everything
    assert Customer.objects.count() == 2


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_hundred_thousand_rows_are_written_in_bounded_memory_and_load(account: making.Account) -> None:
    """G43: within ten minutes; memory does not grow with the rows."""
    rows = 100_000
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_customer (id, name, business_name, email, phone, address_line1,"
            " address_line2, city, state, postal_code, country, tax_id, currency, locale, status, created_at)"
            " SELECT gen_random_uuid(), repeat('n', 80) || at, repeat('b', 80), 'x@x.example', '',"
            " repeat('a', 90), '', 'Hamburg', '', '20457', 'DE', '', 'EUR', 'en', 'active', now()"
            " FROM generate_series(1, %s) at",
            [rows],
        )
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with TemporaryFile() as file:
        sealer = Sealer(file, key := new_key(), context="x")
        tables = access.tables_of_workspace()
        packed = packing.pack(sealer, tables, packing.Heading("x", "y", making.NOW))
        sealer.finish()
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        seconds = time.monotonic() - begun
        file.seek(0)
        copy = Copy.of(b"".join(opened(file, key, context="x")))
    print(f"{packed.rows} rows in {seconds:.1f} s, with {grown_kib} KiB more memory")
    assert packed.rows > rows and seconds < 600 and grown_kib < 32_768
    with loaded(copy) as database:
        assert database.execute("SELECT count(*) FROM accounts_customer").fetchone() == (rows + 1,)


def test_the_key_of_a_copy_is_sealed_anew_with_all_else(tenant: Any) -> None:
    """Its column is called `key`, which the statement that replaces data keys once stumbled over."""
    copy = ExportFile.objects.create(
        subject_kind="user", subject_id="1", asked_by="1", asked_at=making.NOW, key="a file's key"
    )
    before = ExportFile.objects.get(pk=copy.pk).key
    outcome = resealing.replace_data_key(made_before=datetime.now(UTC), batch=10)
    after = ExportFile.objects.get(pk=copy.pk).key
    assert before is not None and after is not None
    assert after.blob != before.blob and after.reveal() == "a file's key"
    assert outcome.left == 0
