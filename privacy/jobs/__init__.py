"""The jobs of this app; importing them registers them."""

from privacy.jobs import demands, incidents, messages, policy, requests

__all__ = ["demands", "incidents", "messages", "policy", "requests"]
