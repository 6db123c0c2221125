"""The privacy app."""

from typing import ClassVar

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    # Lower-case names of the models that only the platform has: they are not made in tenants' schemas.
    platform_models: ClassVar[frozenset[str]] = frozenset(
        {
            "contactmessage",
            "contactreply",
            "datarequest",
            "disclosure",
            "incident",
            "incidentnotice",
            "incidentrotation",
            "incidentscope",
            "keptconsent",
            "policyround",
            "policyversion",
            "receivedmail",
            "reply",
            "requestsubject",
            "underagereport",
        }
    )

    def ready(self) -> None:
        from privacy import (  # noqa: F401 - importing registers them
            consenting,
            ending,
            jobs,
            personal_data,
            prospects,
            publishing,
            rotations,
            sweeping,
            telling,
            traces,
        )
