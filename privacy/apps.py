"""The privacy app."""

from typing import ClassVar

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    # Lower-case names of the models that only the platform has: they are not made in tenants' schemas.
    platform_models: ClassVar[frozenset[str]] = frozenset(
        {"incident", "incidentscope", "incidentrotation", "incidentnotice"}
    )

    def ready(self) -> None:
        from privacy import (  # noqa: F401 - importing registers them
            ending,
            jobs,
            personal_data,
            rotations,
            sweeping,
            telling,
            traces,
        )
