"""The audit app."""

from typing import ClassVar

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"
    # Lower-case names of the models that only the platform has: they are not made in tenants' schemas.
    platform_models: ClassVar[frozenset[str]] = frozenset({"checkpoint", "anchor"})
