"""The jobs of this app; importing them registers them."""

from privacy.jobs import demands, incidents

__all__ = ["demands", "incidents"]
