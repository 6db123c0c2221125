"""How many notices may leave in an hour, whatever they tell of: one count, below the mail provider's cap."""

from datetime import datetime

from django.conf import settings

from tenants import throttling
from tenants.context import enter_public
from tenants.throttling import HOUR, Caller, Rule, Window


def spend(now: datetime) -> None:
    """Count one mail of all that may leave in an hour (NOTICES_PER_HOUR); raises `TooMany`."""
    rule = Rule("notices", tenant=(Window(settings.NOTICES_PER_HOUR, HOUR),))
    with enter_public():
        throttling.spend(rule, Caller("", ""), now=now)
