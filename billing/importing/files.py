"""Both files together: customers first, subscriptions after them; or what would come of it, for a preview."""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db import IntegrityError, transaction

from audit.actors import Actor
from billing.errors import Refused
from billing.importing.customers import apply_customers, import_customers
from billing.importing.outcome import Outcome, Progress
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
    customers: BinaryIO | None,
    subscriptions: BinaryIO | None,
    *,
    actor: Actor,
    now: datetime,
    progress: Progress | None = None,
) -> Imported:
    """Import the files given, each all or nothing; subscriptions only when the customers were fine.

    The files must be seekable. Raises `Refused` when somebody else makes the same rows at this moment.
    """
    first = second = None
    if customers:
        first = import_customers(customers, actor=actor, now=now, progress=progress)
        if not first.is_fine:
            checked = preview(customers, subscriptions, actor=actor, now=now, progress=progress)
            return Imported(first, checked.subscriptions, kept=False)
    if subscriptions:
        second = import_subscriptions(subscriptions, actor=actor, now=now, progress=progress)
    return Imported(first, second, kept=first is not None or bool(second and second.is_fine))


def preview(
    customers: BinaryIO | None,
    subscriptions: BinaryIO | None,
    *,
    actor: Actor,
    now: datetime,
    progress: Progress | None = None,
) -> Imported:
    """Say what importing these files would do, by doing it and taking it back.

    Takes what `import_files` takes; nothing is recorded, so that nobody who settles a payment waits for it.
    """
    first = second = None
    try:
        with transaction.atomic():
            if customers:
                first = apply_customers(customers, now=now, progress=progress).outcome()
            if subscriptions:
                second = apply_subscriptions(subscriptions, now=now, progress=progress).outcome()
            transaction.set_rollback(True)
    except IntegrityError as error:
        raise Refused("Somebody else brought in the same rows at this moment. Try again.") from error
    return Imported(first, second, kept=False)
