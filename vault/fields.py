"""A model field whose values are sealed for their row, and are opened only by asking for it.

secret = EncryptedTextField()
connection.secret = "sk_live_…"      # sealed by save(), create() and bulk_create()
connection.secret.reveal()           # the only way back
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar, final

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Col
from django.db.models.query_utils import DeferredAttribute
from django.views.decorators.debug import sensitive_variables

from vault import cipher
from vault.errors import SealBroken, VaultError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed value stands."""

    table: str
    column: str
    row: str


@final
class Sealed:
    """A value that shows nothing of itself until `reveal()`."""

    __slots__ = ("_blob", "_place", "_plain")

    def __init__(
        self, *, blob: bytes | None = None, plain: str | None = None, place: Place | None = None
    ) -> None:
        if (blob is None) == (plain is None):
            raise VaultError("A sealed value is made of a blob or of a plain text.")
        self._blob = blob
        self._plain = plain
        self._place = place

    def reveal(self) -> str:
        """Return the plain text."""
        if self._plain is not None:
            return self._plain
        if self._place is None or self._blob is None:
            raise VaultError(
                "A sealed value opens only through the row that it belongs to, once it has its key."
            )
        return cipher.open_sealed(
            self._blob, table=self._place.table, column=self._place.column, row=self._place.row
        )

    # Templates call what they can call: this keeps `{{ row.secret.reveal }}` empty.
    reveal.alters_data = True  # type: ignore[attr-defined]

    @property
    def blob(self) -> bytes:
        """The sealed bytes; there are none before the row is saved."""
        if self._blob is None:
            raise VaultError("The value is not sealed yet: save its row first.")
        return self._blob

    @property
    def is_sealed(self) -> bool:
        """Whether the value came from the database, rather than waiting to be saved."""
        return self._blob is not None

    @property
    def place(self) -> Place | None:
        """Where the value stands, if that is known."""
        return self._place

    def at(self, place: Place | None) -> "Sealed":
        """Return the same value, standing at `place`."""
        return Sealed(blob=self._blob, plain=self._plain, place=place)

    def __repr__(self) -> str:
        return "Sealed(…)"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.blob, self._place)


def _restore(blob: bytes, place: Place | None) -> Sealed:
    return Sealed(blob=blob, place=place)


class _SealedBytes(bytes):
    """What `pre_save` has sealed for the row at hand: all that may reach the column."""


class _SealedAttribute(DeferredAttribute):
    """Gives every value the place of the instance from which it is read."""

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        if instance is None:
            return self
        value: Sealed | None = super().__get__(instance, cls)
        if value is None or value.place is not None:
            return value
        return value.at(_find_place(self.field, instance))

    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, str):
            value = Sealed(plain=value)
        elif value is not None and not isinstance(value, Sealed):
            raise VaultError(f"{self.field} takes a str, not {type(value).__name__}.")
        instance.__dict__[self.field.attname] = value


_Set = TypeVar("_Set", contravariant=True)
_Get = TypeVar("_Get", covariant=True)

if TYPE_CHECKING:

    class _Binary(models.BinaryField[_Set, _Get]):
        _pyi_private_set_type: str | Sealed
        _pyi_private_get_type: Sealed  # type: ignore[assignment]

else:

    class _Binary(models.BinaryField):
        def __class_getitem__(cls, _types: Any) -> type:
            return cls


class EncryptedTextField(_Binary[_Set, _Get]):
    """Text, sealed by the vault for its table, column and row. It cannot be searched or updated in bulk."""

    description = "Encrypted text"
    descriptor_class = _SealedAttribute

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return [*super().check(**kwargs), *self._check_row_is_known()]

    def _check_row_is_known(self) -> Sequence[CheckMessage]:
        if isinstance(self.model._meta.pk, models.AutoField | models.BigAutoField | models.SmallAutoField):
            return [Error("The key of the row must be known before it is saved.", obj=self, id="vault.E003")]
        return []

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(blob=bytes(value))

    @sensitive_variables("value")
    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Seal a new text for this row; a value that is sealed already must be this row's."""
        value: Sealed | None = getattr(model_instance, self.attname)
        if value is None:
            return None
        place = _find_place(self, model_instance)
        if place is None:
            raise VaultError(f"{self}: give the row its key before saving it.")
        if value.is_sealed:
            if value.place != place or (add and not _opens(value)):
                raise VaultError(
                    f"{self}: this value is sealed for another row. Assign its reveal() instead."
                )
            # An update leaves the column as it is: the row may have been sealed anew since it was read.
            return _SealedBytes(value.blob) if add else models.F(self.attname)
        # The instance keeps the text: were the transaction rolled back, the next save would seal it anew.
        return _SealedBytes(
            cipher.seal(value.reveal(), table=place.table, column=place.column, row=place.row)
        )

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None or isinstance(value, _SealedBytes):
            return super().get_db_prep_save(value, connection)
        if isinstance(value, Col) and value.target == self:
            return value  # the column as it is
        raise self._refusal()

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None or isinstance(value, _SealedBytes | memoryview):
            return super().get_db_prep_value(value, connection, prepared)
        raise self._refusal()

    def _refusal(self) -> VaultError:
        return VaultError(
            f"{self} is sealed row by row: assign it to each instance and call save() or bulk_create()."
        )

    def to_python(self, value: Any) -> Sealed | None:
        """Refuse what comes out of a fixture: it could not tell sealed from plain."""
        if value is None or isinstance(value, Sealed):
            return value
        raise ValidationError("An encrypted value cannot be loaded: assign its text.", code="invalid")

    def value_to_string(self, obj: models.Model) -> Any:
        value: Any = self.value_from_object(obj)
        return None if value is None else b64encode(value.blob).decode("ascii")


def _find_place(field: Any, instance: models.Model) -> Place | None:
    if instance.pk is None:
        return None
    return Place(table=field.model._meta.db_table, column=field.column, row=str(instance.pk))


def _opens(value: Sealed) -> bool:
    try:
        value.reveal()
    except SealBroken:
        return False
    return True
