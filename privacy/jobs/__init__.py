"""The jobs of this app; importing them registers them."""

from privacy.jobs import incidents, messages, policy

__all__ = ["incidents", "messages", "policy"]
