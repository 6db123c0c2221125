"""The jobs of this app; importing them registers them."""

from privacy.jobs import demands, erasing, incidents, messages, policy, requests, retention

__all__ = ["demands", "erasing", "incidents", "messages", "policy", "requests", "retention"]
