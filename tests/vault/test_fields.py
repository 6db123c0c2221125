import copy
import json
import logging
import os
import pickle
import sys
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.apps import AppConfig, apps
from django.core import serializers
from django.core.exceptions import FieldError
from django.core.serializers.base import DeserializationError
from django.db import connection, transaction
from django.db.models import F, Value
from django.template import Context, Engine
from django.views.debug import ExceptionReporter

from tests.vault import notes
from tests.vault.notes import TABLE, Counted, Note
from vault import cipher, datakeys
from vault.errors import SealBroken, VaultError
from vault.fields import Sealed
from vault.models import DataKey

CANARY = "sk_live_canary_51c0"


@pytest.fixture(scope="module")
def note_tables(django_db_setup: None) -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        for schema in ("t_alpha", "t_beta"):
            owner.execute(TABLE.format(schema=schema).encode())


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Django find the tests' model by its name, as fixtures and pickles ask for it."""
    config = AppConfig("vault_tests", notes)
    config.apps, config.models = apps, apps.all_models["vault_tests"]
    monkeypatch.setitem(apps.app_configs, "vault_tests", config)


@pytest.fixture
def note(note_tables: None, tenant: Any) -> Note:
    """A saved note with a secret, as another request would read it."""
    made = Note.objects.create(title="one", secret=CANARY)
    return Note.objects.get(pk=made.pk)


def _column(note: Note, name: str = "secret") -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM vault_tests_note WHERE id = %s", [note.pk])
        return bytes(cursor.fetchone()[0])


def test_a_saved_text_is_sealed_in_the_column_and_revealed_on_asking(note: Note) -> None:
    assert b"canary" not in _column(note)
    assert note.secret.reveal() == CANARY
    assert note.secret.blob == _column(note)
    assert note.spare is None
    place = {"table": "vault_tests_note", "column": "secret", "row": note.pk}
    assert cipher.open_sealed(_column(note), **place) == CANARY


def test_the_text_can_be_revealed_before_and_after_saving(note_tables: None, tenant: Any) -> None:
    note = Note(secret=CANARY)
    assert note.secret.reveal() == CANARY
    assert not note.secret.is_sealed
    note.save()
    assert note.secret.reveal() == CANARY
    again = Note.objects.get(pk=note.pk)
    assert again.secret.is_sealed
    note.refresh_from_db()
    assert again.secret.reveal() == note.secret.reveal() == CANARY


def test_saving_without_a_change_keeps_the_sealed_bytes(note: Note) -> None:
    before = _column(note)
    note.title = "two"
    note.save()
    assert _column(note) == before
    note.secret = "changed"
    note.save(update_fields=["secret"])
    assert _column(note) != before
    assert Note.objects.get(pk=note.pk).secret.reveal() == "changed"


def test_bulk_create_seals_each_row_for_itself(note_tables: None, tenant: Any) -> None:
    Note.objects.bulk_create([Note(title=str(n), secret=f"{CANARY}-{n}") for n in range(5)])
    for note in Note.objects.all():
        assert note.secret.reveal() == f"{CANARY}-{note.title}"
        assert b"canary" not in _column(note)


def test_deferred_and_partial_reads_reveal_too(note: Note) -> None:
    assert Note.objects.defer("secret").get(pk=note.pk).secret.reveal() == CANARY
    assert Note.objects.only("secret").get(pk=note.pk).secret.reveal() == CANARY


def test_a_value_read_without_its_row_stays_closed(note: Note) -> None:
    (value,) = Note.objects.values_list("secret", flat=True)
    assert isinstance(value, Sealed) and repr(value) == "Sealed(…)"
    with pytest.raises(VaultError, match="only through the row"):
        value.reveal()


def test_swapped_rows_and_columns_are_refused(note: Note) -> None:
    other = Note.objects.create(title="two", secret="the other", spare="aside")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vault_tests_note SET secret = %s WHERE id = %s", [_column(other), note.pk])
        cursor.execute("UPDATE vault_tests_note SET secret = spare WHERE id = %s", [other.pk])
    for moved in Note.objects.all():
        with pytest.raises(SealBroken):
            moved.secret.reveal()


def test_a_sealed_value_is_not_saved_into_another_row(note: Note) -> None:
    with pytest.raises(VaultError, match="another row"), transaction.atomic():
        Note.objects.create(secret=note.secret)
    note.spare = note.secret
    with pytest.raises(VaultError, match="another row"), transaction.atomic():
        note.save()
    Note.objects.create(secret=note.secret.reveal())


def test_a_copy_of_a_row_under_another_key_is_refused(note: Note) -> None:
    note.pk = uuid4()
    note._state.adding = True
    with pytest.raises(VaultError, match="another row"), transaction.atomic():
        note.save()
    assert Note.objects.count() == 1


def test_a_row_without_a_key_is_refused(note_tables: None, tenant: Any) -> None:
    note = Note(secret=CANARY)
    note.pk = None
    with pytest.raises(VaultError, match="give the row its key"):
        Note._meta.get_field("secret").pre_save(note, True)


def test_a_model_whose_key_the_database_counts_fails_the_check() -> None:
    assert [e.id for e in Counted._meta.get_field("secret").check()] == ["vault.E003"]
    assert Note._meta.get_field("secret").check() == []


def test_writes_that_know_no_row_are_refused(note: Note) -> None:
    before = _column(note)
    for value in (CANARY, note.secret, Value(CANARY), b"bytes"):
        with pytest.raises(VaultError, match="row by row"), transaction.atomic():
            Note.objects.update(secret=value)
    note.secret = "changed"
    with pytest.raises(VaultError, match="row by row"), transaction.atomic():
        Note.objects.bulk_update([note], ["secret"])
    assert _column(note) == before
    assert Note.objects.update(spare=None) == 1


def test_sealed_values_cannot_be_searched_but_for_being_there(note: Note) -> None:
    for lookup in ("secret", "secret__exact", "secret__contains", "secret__in", "secret__gt"):
        with pytest.raises(FieldError):
            Note.objects.filter(**{lookup: CANARY}).exists()
    assert Note.objects.filter(spare__isnull=True, secret__isnull=False).count() == 1


def test_what_is_not_a_text_is_not_taken(tenant: Any) -> None:
    for wrong in (b"bytes", 7, memoryview(b"x"), ["x"], F("title")):
        with pytest.raises(VaultError, match="takes a str"):
            Note(secret=wrong)


def test_a_rolled_back_save_can_be_repeated(note_tables: None, tenant: Any) -> None:
    note = Note(secret=CANARY)
    with transaction.atomic():
        note.save()
        transaction.set_rollback(True)
    assert not DataKey.objects.exists()
    note._state.adding = True
    note.save()
    datakeys._held.clear()
    assert Note.objects.get(pk=note.pk).secret.reveal() == CANARY


def test_nothing_shows_the_text_unasked(note: Note, caplog: pytest.LogCaptureFixture) -> None:
    fresh = Note(secret=CANARY)
    template = Engine().from_string("{{ n.secret }}|{{ n.secret.reveal }}|{{ n }}")
    with caplog.at_level(logging.DEBUG):
        for one in (note, fresh):
            logging.getLogger("test").info("%s %r %s", one.secret, one.secret, vars(one))
            shown = [repr(one.secret), str(one.secret), f"{one.secret:}", "%s" % one.secret, repr(vars(one))]  # noqa: UP031
            shown.append(template.render(Context({"n": one})))
            assert all(CANARY not in text for text in shown)
            with pytest.raises(TypeError):
                json.dumps(one.secret)
    assert CANARY not in caplog.text


@pytest.mark.usefixtures("_installed")
def test_pickles_and_copies_hold_sealed_bytes_only(note: Note) -> None:
    pickled = pickle.dumps(note)
    assert CANARY.encode() not in pickled
    assert pickle.loads(pickled).secret.reveal() == CANARY
    assert copy.deepcopy(note).secret.reveal() == CANARY
    assert copy.copy(note.secret).reveal() == CANARY
    with pytest.raises(VaultError, match="not sealed yet"):
        pickle.dumps(Note(secret=CANARY))


@pytest.mark.usefixtures("_installed")
def test_a_dump_holds_the_sealed_form_and_cannot_be_loaded_as_text(note: Note) -> None:
    dumped = serializers.serialize("json", [note])
    assert CANARY not in dumped
    with pytest.raises(DeserializationError):
        list(serializers.deserialize("json", dumped))
    with pytest.raises(VaultError, match="not sealed yet"):
        serializers.serialize("json", [Note(secret=CANARY)])


def test_a_row_can_be_validated(note: Note) -> None:
    note.full_clean()
    note.secret = "changed"
    note.full_clean()
    note.save()
    assert Note.objects.get().secret.reveal() == "changed"


def test_an_error_report_does_not_show_what_was_to_be_sealed(tenant: Any) -> None:
    try:
        cipher.seal(CANARY, table="", column="secret", row=uuid4())
    except VaultError:
        kind, error, trace = sys.exc_info()
        assert trace is not None
        report = ExceptionReporter(None, kind, error, trace.tb_next).get_traceback_html()
    assert "must be named" in report
    assert CANARY not in report
