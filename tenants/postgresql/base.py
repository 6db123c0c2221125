"""The tenant-aware database backend: role and search path travel together, in one round trip.

A connection starts outside every tenant and refuses each statement with `NoTenant`. PostgreSQL undoes a
`SET` when the transaction or savepoint around it rolls back, so every rollback forgets what was applied.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.backends.postgresql.base import CursorDebugWrapper
from django.db.backends.utils import CursorWrapper
from django_tenants.postgresql_backend import base as django_tenants_backend
from psycopg.pq import TransactionStatus

from tenants.errors import NoTenant

PUBLIC = "public"
PUBLIC_ROLE = "proe_public"
APPLY = "SELECT set_config('role', %s, false), set_config('search_path', %s, false)"


class _LooksAgain:
    """What Django's execute wrappers do not see: a kept cursor that copies or streams after a switch."""

    cursor: Any
    db: Any

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        self.db._handle_search_path()
        return self.cursor.copy(*args, **kwargs)

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        self.db._handle_search_path()
        return self.cursor.stream(*args, **kwargs)

    def callproc(self, *args: Any, **kwargs: Any) -> Any:
        self.db._handle_search_path()
        return super().callproc(*args, **kwargs)  # type: ignore[misc]


class _Cursor(_LooksAgain, CursorWrapper):
    pass


class _DebugCursor(_LooksAgain, CursorDebugWrapper):
    pass


class DatabaseWrapper(django_tenants_backend.DatabaseWrapper):  # type: ignore[misc]
    """PostgreSQL for one thread, inside at most one tenant at a time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._applied: tuple[str, str] | None = None  # where the server is
        self._goal: tuple[str, str] | None = None  # where it should be, once that was worked out
        self._hands_off = False
        self._acts_as_owner = False
        super().__init__(*args, **kwargs)
        self.leave_tenant()
        self.execute_wrappers.append(self._apply_before)

    # Where the connection is meant to be.

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        """Point at `tenant`; the server follows with the next statement."""
        self.tenant = tenant
        self.schema_name = tenant.schema_name
        self.include_public_schema = include_public
        self._goal = None

    def leave_tenant(self) -> None:
        """Point at nothing: every statement raises `NoTenant` until a tenant is entered."""
        self.tenant = None
        self.schema_name = None
        self._goal = None

    @property
    def acts_as_owner(self) -> bool:
        """Whether statements run as the login itself, which is the owner's (`tenants.owner`)."""
        return self._acts_as_owner

    @acts_as_owner.setter
    def acts_as_owner(self, value: bool) -> None:
        self._acts_as_owner = value
        self._goal = None

    def wanted(self) -> tuple[str, str]:
        """Return the role and search path that the server should have now."""
        schema = self.schema_name
        if schema is None:
            raise NoTenant
        path = PUBLIC if schema == PUBLIC else f"{schema}, {PUBLIC}"
        if self.acts_as_owner:
            return "none", path
        return (PUBLIC_ROLE if schema == PUBLIC else schema), path

    # Bringing the server there.

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._hands_off or (self._goal is not None and self._goal is self._applied):
            return
        wanted = self.wanted()
        if wanted == self._applied:
            self._goal = self._applied
            return
        if self._has_failed():
            return  # the statement fails by itself; a rollback follows
        with self.wrap_database_errors, self.connection.cursor() as plain:
            plain.execute(APPLY, wanted)
        self._applied = self._goal = wanted

    def _has_failed(self) -> bool:
        return bool(self.connection.info.transaction_status == TransactionStatus.INERROR)

    def _apply_before(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        # A cursor may outlive the tenant in which it was opened: look again at each statement.
        self._handle_search_path()
        return execute(sql, params, many, context)

    @contextmanager
    def _untouched(self) -> Iterator[None]:
        """Transaction control runs in whatever tenant the server is in, and in none."""
        before, self._hands_off = self._hands_off, True
        try:
            yield
        finally:
            self._hands_off = before

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        return _Cursor(cursor, self)

    def make_debug_cursor(self, cursor: Any) -> CursorWrapper:
        return _DebugCursor(cursor, self)

    # What is put off until the commit happens in the tenant where it was put off.

    def on_commit(self, func: Callable[[], Any], robust: bool = False) -> None:
        if not callable(func):
            raise TypeError("on_commit()'s callback must be a callable.")
        tenant = self.tenant

        def there() -> None:
            before = self.tenant
            self._point_at(tenant)
            try:
                func()
            finally:
                self._point_at(before)

        super().on_commit(there, robust)

    def _point_at(self, tenant: Any) -> None:
        if tenant is None:
            self.leave_tenant()
        else:
            self.set_tenant(tenant)

    # Everything that can undo a SET on the server.

    def connect(self) -> None:
        self._applied = None
        super().connect()

    def close(self) -> None:
        self._applied = None
        super().close()

    def _commit(self) -> None:
        # Committing a failed transaction rolls it back without an error.
        if self.connection is not None and self._has_failed():
            self._applied = None
        super()._commit()

    def _rollback(self) -> None:
        self._applied = None
        super()._rollback()

    def _savepoint(self, sid: str) -> None:
        with self._untouched():
            super()._savepoint(sid)

    def _savepoint_commit(self, sid: str) -> None:
        with self._untouched():
            super()._savepoint_commit(sid)

    def savepoint_rollback(self, sid: str) -> None:
        try:
            with self._untouched():
                super().savepoint_rollback(sid)
        finally:
            self._applied = None

    def _savepoint_rollback(self, sid: str) -> None:
        try:
            with self._untouched():
                super()._savepoint_rollback(sid)
        finally:
            self._applied = None

    def check_constraints(self, table_names: Sequence[str] | None = None) -> None:
        with self._untouched():
            super().check_constraints(table_names)

    @property
    def pg_version(self) -> int:
        """The server's version number; asked of the connection, which needs no tenant."""
        self.ensure_connection()
        version: int = self.connection.info.server_version
        return version
