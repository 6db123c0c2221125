"""The jobs of this app; importing them registers them."""

from privacy.jobs import incidents, messages, policy, requests

__all__ = ["incidents", "messages", "policy", "requests"]
