"""What the staff's admin shows and lets nobody type over."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows; what changes them are rules, as actions."""

    show_full_result_count = False

    def lookup_allowed(  # type: ignore[override]
        self, lookup: str, value: str, request: HttpRequest
    ) -> bool:
        """Only what the list offers to narrow it by: no guessing at a hash, a letter at a time."""
        offered = {str(each) for each in self.get_list_filter(request) if isinstance(each, str)}
        return lookup.partition("__")[0] in offered and "\0" not in str(value)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
