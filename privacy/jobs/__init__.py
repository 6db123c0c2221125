"""The jobs of this app; importing them registers them."""

from privacy.jobs import erasing, incidents, retention

__all__ = ["erasing", "incidents", "retention"]
