"""Everything that is held about a subject, or in a whole workspace: read from the inventory. Reads only.

A table is what one model holds about the subject: its rows, the columns that are given, and the names of
those that are kept secret. What a row tells of somebody else is left out of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import CharField, Count, Field, ForeignKey, Model, Q, QuerySet, Value
from django.utils.text import capfirst

from privacy import inventory, policy_tables, reading
from privacy.inventory import Export, Holding
from privacy.periods import PERIODS
from privacy.subjects import Subject
from tenants.context import current_tenant, enter_public
from tenants.router import SchemaRouter
from vault.fields import EncryptedTextField

SECRET: Final = "kept secret, for your protection"
CHUNK: Final = 1_000
# Of a whole workspace: what is Django's own, or opens other things.
LEFT_OUT_APPS: Final = frozenset({"vault", "sessions", "contenttypes", "auth", "admin"})
LEFT_OUT: Final = frozenset({"accounts.PasskeyChallenge", "privacy.ExportFile"})

# A workspace's rows in the platform's schema.
SHARED: Final = ("tenants.Tenant", "tenants.Host", "tenants.HostProof")

_TYPES: Final = {
    "UUIDField": "uuid",
    "BooleanField": "boolean",
    "DateField": "date",
    "DateTimeField": "timestamptz",
    "JSONField": "jsonb",
    "BinaryField": "bytea",
    "DecimalField": "numeric",
    **dict.fromkeys(
        ("IntegerField", "BigIntegerField", "SmallIntegerField", "AutoField", "BigAutoField",
         "PositiveIntegerField", "PositiveBigIntegerField", "PositiveSmallIntegerField", "SmallAutoField"),
        "bigint",
    ),
    "ArrayField": "jsonb",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One field that is given: its name in the database, what people read, and its simple SQL type."""

    name: str
    label: str
    type: str
    is_key: bool
    is_personal: bool


@dataclass(frozen=True, slots=True)
class Table:
    """What one model holds about a subject; about everybody where `subject` is None.

    `shared`: it stands in the platform's schema, where `query` names the tenant's own few rows.
    """

    holding: Holding
    subject: Subject | None
    columns: tuple[Column, ...]
    secret: tuple[str, ...]
    query: QuerySet[Any]
    shared: bool = False

    @property
    def label(self) -> str:
        return self.holding.label

    @property
    def title(self) -> str:
        return self.holding.title

    @property
    def name(self) -> str:
        return self.holding.model._meta.db_table

    def stream(self) -> Iterator[list[Any]]:
        """Give the rows one by one, through a cursor of the server: however many there are."""
        if self.shared:
            with enter_public():
                few = list(self._values())
            yield from self._shown(few)
            return
        waiting: list[tuple[Any, ...]] = []
        for row in self._values().iterator(chunk_size=CHUNK):
            waiting.append(row)
            if len(waiting) == CHUNK:
                yield from self._shown(waiting)
                waiting.clear()
        yield from self._shown(waiting)

    def rows(self, start: int, stop: int) -> list[list[Any]]:
        """Return some of the rows, the latest first."""
        return self._shown(list(self._values().order_by("-pk")[start:stop]))

    def _values(self) -> QuerySet[Any, Any]:
        return self.query.order_by("pk").values_list(*(column.name for column in self.columns))

    def _shown(self, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Open what is sealed, and leave out what tells of somebody else."""
        names = [column.name for column in self.columns]
        shown = [list(row) for row in rows]
        dicts = [dict(zip(names, row, strict=True)) for row in rows]
        for at, name in enumerate(names):
            opener = reading.opener_of(self.label, name)
            if opener is not None and dicts:
                for row, value in zip(shown, opener(dicts), strict=True):
                    row[at] = value
        for row, values in zip(shown, dicts, strict=True):
            for name in self._hidden(values):
                if name in names:
                    row[names.index(name)] = None
        return shown

    def _hidden(self, row: Mapping[str, Any]) -> frozenset[str]:
        if self.subject is None:
            return frozenset()
        if self.label == reading.AUDIT:
            return reading.hidden_of_event(row, self.subject)
        return self.holding.of_others(self.subject.kind)


def treatment(table: Table) -> list[tuple[policy_tables.Treated, str]]:
    """Return what becomes of a table's fields, as the policy has it, with what people call these fields."""
    meta = table.holding.model._meta
    return [
        (each, ", ".join(_said(meta.get_field(name)) for name in each.fields))  # type: ignore[arg-type]
        for each in policy_tables.treated(table.holding, PERIODS)
    ]


def tables_about(subject: Subject) -> list[Table]:
    """Return what the schema entered holds about the subject, also where that is nothing yet."""
    found = [
        _table(holding, subject)
        for holding in inventory.holdings()
        if _is_here(holding) and (holding.path_of(subject.kind) or _by_filter(holding, subject))
    ]
    return _in_order(found)


def table_about(subject: Subject, label: str) -> Table | None:
    """Return one of them by its model's name, if it holds anything about such a subject."""
    return next((table for table in tables_about(subject) if table.label == label), None)


def tables_of_workspace() -> list[Table]:
    """Return every table of the schema entered that its owner takes along, and the workspace's own rows."""
    found = [
        _table(holding, None)
        for holding in inventory.holdings()
        if _is_here(holding)
        and holding.label not in LEFT_OUT
        and holding.model._meta.app_label not in LEFT_OUT_APPS
    ]
    workspace = Subject("tenant", str(current_tenant().pk))
    found += [replace(_table(inventory.holding_of(each), workspace), shared=True) for each in SHARED]
    return _in_order(found)


def counts(tables: Sequence[Table]) -> dict[str, int]:
    """Return how many rows each has, by its label: one query for all of the schema entered."""
    found = dict.fromkeys((table.label for table in tables), 0)
    with enter_public():
        found |= {table.label: table.query.count() for table in tables if table.shared}
    tables = [table for table in tables if not table.shared]
    if not tables:
        return found
    each = [
        table.query.order_by()
        .annotate(table_label=Value(table.label, output_field=CharField()))
        .values("table_label")
        .annotate(number=Count("pk", distinct=True))
        .values_list("table_label", "number")
        for table in tables
    ]
    rows = each[0].union(*each[1:], all=True) if len(each) > 1 else each[0]
    found.update(rows)
    return found


def _table(holding: Holding, subject: Subject | None) -> Table:
    model = holding.model
    query = model._base_manager.all()
    if subject is not None and _by_filter(holding, subject):
        query = query.filter(reading.filter_of(model, subject))
    elif subject is not None:
        query = query.filter(_lookup(holding, subject))
    fields = [each for each in model._meta.concrete_fields if not _is_secret(holding, each)]
    secret = [each for each in model._meta.concrete_fields if _is_secret(holding, each)]
    columns = tuple(
        Column(
            each.attname,
            _said(each),
            _type_of(each, holding),
            each.primary_key,
            each.name in holding.personal,
        )
        for each in fields
    )
    return Table(holding, subject, columns, tuple(_said(each) for each in secret), query)


def _lookup(holding: Holding, subject: Subject) -> Q:
    path = holding.path_of(subject.kind)
    if path == "subject_id":  # rows of several kinds of subject share the column
        return Q(subject_kind=subject.kind, subject_id=subject.id)
    return Q(**{str(path): subject.id})


def _by_filter(holding: Holding, subject: Subject) -> bool:
    return subject.kind in {"user", "customer"} and reading.has_own_filter(holding.model)


def _is_here(holding: Holding) -> bool:
    """Whether the schema entered has this model's table."""
    meta = holding.model._meta
    return SchemaRouter().allow_migrate("default", meta.app_label, meta.model_name) is not False


def _is_secret(holding: Holding, field: "Field[Any, Any]") -> bool:
    data = holding.personal.get(field.name)
    return isinstance(field, EncryptedTextField) or (data is not None and data.export is Export.WITHHELD)


def _said(field: "Field[Any, Any]") -> str:
    return str(capfirst(field.verbose_name))


def _type_of(field: "Field[Any, Any]", holding: Holding) -> str:
    opened = reading.type_opened(holding.label, field.attname)
    if opened is not None:
        return opened
    if isinstance(field, ForeignKey):
        return _type_of(field.target_field, holding)
    return _TYPES.get(field.get_internal_type(), "text")


def _in_order(tables: Sequence[Table]) -> list[Table]:
    """Put tables behind those that their rows point to."""
    by_model = {table.holding.model: table for table in tables}
    done: dict[type[Model], Table] = {}

    def visit(model: type[Model], under: frozenset[type[Model]]) -> None:
        if model in done or model in under or model not in by_model:
            return
        for field in model._meta.concrete_fields:
            related = field.related_model if isinstance(field, ForeignKey) else None
            if isinstance(related, type):
                visit(related, under | {model})
        done[model] = by_model[model]

    for table in tables:
        visit(table.holding.model, frozenset())
    return list(done.values())
