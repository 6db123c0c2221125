"""The jobs of this app; importing them registers them."""

from privacy.jobs import incidents

__all__ = ["incidents"]
