"""Keys are replaced on record: the one above all in the platform's schema, a data key in its own."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from audit.actions import Action
from audit.models import AuditEvent
from tenants import rekeying
from tenants.context import enter_public
from tenants.errors import KeysLeft
from tests.accounts.factors import SETUP
from vault import datakeys, keyring
from vault.models import DataKey


@pytest.fixture(autouse=True)
def _own_secret(settings: Any) -> None:
    settings.SECRETS_PREFIX = f"test-{uuid4().hex}"


def test_the_key_above_all_is_rotated_on_record(tenant: Any, now: datetime) -> None:
    """With what it left: the keys of the others in the database are of another secret."""
    datakeys.prepare()
    with pytest.raises(KeysLeft):
        rekeying.rotate_key_encryption_key(actor=SETUP, now=now, progress=lambda line: None)
    version = keyring.get_keyring().current().version
    with enter_public():
        event = AuditEvent.objects.get(action=Action.KEYS_ROTATED, subject_kind="vault", subject_id=version)
    assert (event.actor_kind, event.actor_label) == (SETUP.kind, SETUP.label)
    assert (event.details["wrapped"], event.details["people"]) == (1, 0)
    assert "t_crowd" in event.details["left"] and tenant.schema_name not in event.details["left"]


def test_a_data_key_is_replaced_on_record(tenant: Any, now: datetime) -> None:
    datakeys.prepare()
    later = DataKey.objects.get().created_at + timedelta(microseconds=1)
    rekeying._replace_one(later, actor=SETUP, now=now, batch=1)
    newest = DataKey.objects.get(retired_at=None)
    event = AuditEvent.objects.get(action=Action.DATA_KEY_REPLACED)
    assert (event.subject_kind, event.subject_id) == ("datakey", str(newest.pk))
    assert (event.actor_kind, event.actor_label) == (SETUP.kind, SETUP.label)
    assert event.details == {"retired": 1, "resealed": 0}
