"""The lists of the desk for people's data; each row leads to the page where it is worked on."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from operations.read_only import ReadOnlyAdmin
from privacy.models import DataRequest, Disclosure, ReceivedMail, UnderageReport
from proecommerce.requests.desk import days_in_words, work_page
from proecommerce.requests.pages import decide_child_page
from tenants import clock


class OpenOnes(admin.SimpleListFilter):
    """The open requests, unless somebody asks for others."""

    title = "state"
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("closed", "Closed"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Open"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        if self.value() == "closed":
            return queryset.exclude(state__in=DataRequest.OPEN)
        return queryset.filter(state__in=DataRequest.OPEN)


class DataRequestAdmin(ReadOnlyAdmin):
    """The queue, what is due first on top."""

    list_display = ("due_day", "time_left", "right", "law", "address", "state", "assigned_to", "received_at")
    list_filter = (OpenOnes, "right", "law")
    search_fields = ("address",)
    change_list_template = "admin/privacy/datarequest/change_list.html"

    def lookup_allowed(  # type: ignore[override]
        self, lookup: str, value: str, request: HttpRequest
    ) -> bool:
        return lookup == OpenOnes.parameter_name or super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DataRequest]:
        return DataRequest.objects.annotate(last_day=Coalesce("extended_until", "due_on"))

    def get_ordering(self, request: HttpRequest) -> list[str]:
        return ["last_day", "received_at"]

    @admin.display(description="due", ordering="last_day")
    def due_day(self, row: DataRequest) -> str:
        return f"{row.due:%Y-%m-%d}"

    @admin.display(description="time left")
    def time_left(self, row: DataRequest) -> str | SafeString:
        if not row.is_open:
            return "closed"
        days = (row.due - clock.now().date()).days
        return (
            format_html('<span class="overdue">{}</span>', days_in_words(days))
            if days < 0
            else days_in_words(days)
        )

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return work_page(request, _id(object_id))


class ReceivedMailAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "sender", "outcome", "why")
    list_filter = ("outcome",)
    search_fields = ("sender",)
    exclude = ("mark",)
    ordering = ("-received_at",)


class UnderageReportAdmin(ReadOnlyAdmin):
    """Reports of children, those to be decided first."""

    list_display = (
        "reported_at",
        "schema_name",
        "subject_kind",
        "subject_id",
        "decision",
        "decided_by",
        "erased_at",
    )
    list_filter = ("decision",)
    search_fields = ("subject_id",)
    change_list_template = "admin/privacy/underagereport/change_list.html"
    ordering = ("decision", "-reported_at")

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return decide_child_page(request, _id(object_id))


class DisclosureAdmin(ReadOnlyAdmin):
    list_display = ("disclosed_at", "authority", "reference", "about", "decided_by")
    search_fields = ("authority", "reference", "about")
    change_list_template = "admin/privacy/disclosure/change_list.html"
    ordering = ("-disclosed_at",)


def register() -> None:
    """Put the lists into the staff's admin."""
    admin.site.register(DataRequest, DataRequestAdmin)
    admin.site.register(ReceivedMail, ReceivedMailAdmin)
    admin.site.register(UnderageReport, UnderageReportAdmin)
    admin.site.register(Disclosure, DisclosureAdmin)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
