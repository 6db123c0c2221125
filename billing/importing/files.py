"""Both files together: customers first, subscriptions after them; or what would come of it, for a preview."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db import IntegrityError, transaction

from audit.actors import Actor
from billing.errors import Refused
from billing.importing.customers import apply_customers, import_customers
from billing.importing.outcome import Outcome
from billing.importing.subscriptions import apply_subscriptions, import_subscriptions


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of each file; None for one that was not given. `kept` tells whether anything was written."""

    customers: Outcome | None
    subscriptions: Outcome | None
    kept: bool

    @property
    def is_fine(self) -> bool:
        return all(each.is_fine for each in (self.customers, self.subscriptions) if each is not None)


def import_files(
    customers: BinaryIO | None, subscriptions: BinaryIO | None, *, actor: Actor, now: datetime
) -> Imported:
    """Import the files given, each all or nothing; subscriptions only when the customers were fine.

    The files must be seekable. Raises `Refused` when somebody else imports the same at this moment.
    """
    first = import_customers(customers, actor=actor, now=now) if customers else None
    if first is not None and not first.is_fine:
        checked = preview(customers, subscriptions, actor=actor, now=now)
        return Imported(first, checked.subscriptions, kept=False)
    second = import_subscriptions(subscriptions, actor=actor, now=now) if subscriptions else None
    return Imported(first, second, kept=first is not None or bool(second and second.is_fine))


def preview(
    customers: BinaryIO | None, subscriptions: BinaryIO | None, *, actor: Actor, now: datetime
) -> Imported:
    """Say what importing these files would do, by doing it and taking it back."""
    try:
        with transaction.atomic():
            first = apply_customers(customers, actor=actor, now=now).outcome() if customers else None
            second = (
                apply_subscriptions(subscriptions, actor=actor, now=now).outcome() if subscriptions else None
            )
            transaction.set_rollback(True)
    except IntegrityError as error:
        raise Refused("Somebody else imports the same at this moment. Try again.") from error
    return Imported(first, second, kept=False)
