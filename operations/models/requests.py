"""The log of requests: a partition a day, written by COPY, gone before it is 30 days old, in no backup.

The table is made by SQL (migration 0001): partitioned by `at`, unlogged, so that neither dumps nor the
write-ahead log carry it anywhere. The app may read and add; what goes, goes by `operations_keep_request_log`.
"""

from typing import Any

from django.db import models
from django.db.models import GenericIPAddressField, Lookup


@GenericIPAddressField.register_lookup
class Within(Lookup):  # type: ignore[type-arg]  # generic for the type checker alone
    """`ip__within="192.0.2.0/24"`: the address is of that network."""

    lookup_name = "within"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s::inet", [str(value)]

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} <<= {right}", [*left_params, *right_params]


class RequestLog(models.Model):
    """One request: what was asked, by whom, from where, and how it went. `id` is the request's id."""

    id = models.UUIDField(primary_key=True, editable=False)
    at = models.DateTimeField()
    schema_name = models.CharField(max_length=63)
    host = models.CharField(max_length=253)
    method = models.CharField(max_length=16)
    path = models.CharField(max_length=500)
    status = models.SmallIntegerField()
    duration_ms = models.IntegerField("ms")
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200)
    user_id = models.UUIDField(null=True)
    operator_id = models.CharField(max_length=64)
    event = models.CharField(max_length=24)
    account_mark = models.CharField(max_length=32)

    class Meta:
        verbose_name = "request"
        indexes = [
            models.Index(fields=["ip", "at"], name="request_by_ip"),
            models.Index(fields=["schema_name", "at"], name="request_by_tenant"),
            models.Index(
                fields=["user_id", "at"], condition=models.Q(user_id__isnull=False), name="request_by_user"
            ),
            models.Index(fields=["at"], condition=~models.Q(event=""), name="request_by_event"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
