"""What an installation needs besides its tables: steps that higher apps register and `migrate` runs last."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from tenants.context import enter_public

Progress = Callable[[str], None]
Step = Callable[[datetime, Progress], None]

_steps: list[Step] = []


def set_up(step: Step) -> Step:
    """Register the decorated function: each `migrate` calls it in the shared schema, the first or a later."""
    _steps.append(step)
    return step


def run(*, now: datetime, progress: Progress) -> None:
    """Run every step, each in a transaction of its own."""
    for step in _steps:
        with enter_public(), transaction.atomic():
            step(now, progress)
