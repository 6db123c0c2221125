"""The jobs of this app; importing them registers them."""

from privacy.jobs import incidents, requests

__all__ = ["incidents", "requests"]
