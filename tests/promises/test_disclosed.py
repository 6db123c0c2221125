"""With whom it is shared: S5."""

import hashlib
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client

from accounts.models import User
from audit.models import AuditEvent
from privacy.models import Disclosure
from tests.privacy.conftest import desk, platform, robin

__all__ = ["desk", "platform", "robin"]
RECORD = "/admin/privacy/disclosure/record/"
LAWFUL = {
    "authority": "Amtsgericht Köln", "reference": "12 Gs 34/26", "basis": "§ 94 StPO, order of 20 November",
    "received_on": "2026-11-20", "about": "Ida Holm", "disclosed": "Customer: name, email\nInvoice: total",
}  # fmt: skip


@pytest.mark.parametrize("missing", ["authority", "reference", "basis", "about", "disclosed", "file"])
def test_s5_nothing_is_disclosed_without_a_lawful_request(platform: None, desk: Client, missing: str) -> None:
    form: dict[str, Any] = LAWFUL | {"file": SimpleUploadedFile("holm.csv", b"name,email\r\n")}
    form[missing] = ""
    assert desk.post(RECORD, form).status_code == 422
    assert not Disclosure.objects.filter(authority=LAWFUL["authority"]).exists()


def test_s5_each_disclosure_is_on_record_for_ever(
    platform: None, desk: Client, robin: User, now: datetime
) -> None:
    data = b"name,email\r\nIda Holm,ida@holm.example\r\n"
    assert desk.post(RECORD, LAWFUL | {"file": SimpleUploadedFile("holm.csv", data)}).status_code == 302
    made = Disclosure.objects.get(authority=LAWFUL["authority"])
    assert (made.basis, made.reference) == (LAWFUL["basis"], LAWFUL["reference"])
    assert made.disclosed.splitlines() == ["Customer: name, email", "Invoice: total"]
    assert made.file_sha256 == hashlib.sha256(data).hexdigest()
    assert made.decided_id == str(robin.pk) and made.disclosed_at is not None
    event = AuditEvent.objects.get(action="disclosure.recorded", subject_id=str(made.pk))
    assert event.actor_id == str(robin.pk) and event.details["file_sha256"] == made.file_sha256
    shown = desk.get(f"/admin/privacy/disclosure/{made.pk}/change/").content.decode()
    assert "12 Gs 34/26" in shown and 'name="disclosed"' not in shown
    for statement in (
        "UPDATE privacy_disclosure SET disclosed = ''", "DELETE FROM privacy_disclosure",
        "TRUNCATE privacy_disclosure",
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
