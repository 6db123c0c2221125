"""The operations app."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "operations"

    def ready(self) -> None:
        from operations import jobs, personal_data, retention  # noqa: F401 - importing registers and declares them
