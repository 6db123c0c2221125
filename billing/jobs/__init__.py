"""Billing's jobs, by topic; importing this package registers them."""

from importlib import import_module

for _topic in ("invoicing", "payments"):
    import_module(f"billing.jobs.{_topic}")
