"""What a good row does to the subscription of its external id: begins it, changes it, or is refused.

What was billed, paused or changed here is known better here than elsewhere: such a subscription takes price
and quantity from a file and nothing else. One that has ended takes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from audit.actions import Action
from audit.models import AuditEvent
from audit.recording import Note
from billing.composing import MAX_PERIODS
from billing.importing.offers import Offer, Offers
from billing.importing.outcome import Tally
from billing.importing.reading import shown
from billing.models import InvoiceLine, Price, Subscription
from billing.periods import Anchoring, PeriodError, index_of

CHANGEABLE: Final = (
    "customer_id", "price_id", "quantity", "started_on", "anchored_on", "next_index", "next_due_on",
)  # fmt: skip
# Marks the events of imports: a subscription with any other event has been touched here.
SOURCE: Final = {"source": "import"}
_ENDED: Final = {Subscription.Status.CANCELLED, Subscription.Status.TERMINATED}


class Wanted(NamedTuple):
    """A good row: what is agreed, and where it stands on its grid; `off_grid` tells why the grid is new."""

    line: int
    external_id: str
    customer: str
    offer: Offer
    quantity: int
    started_on: date
    next_due_on: date
    anchoring: Anchoring
    off_grid: str


class Owner(NamedTuple):
    """A locked customer."""

    id: UUID
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What all batches of one file have in common."""

    owners: Mapping[str, Owner]
    offers: Offers
    tally: Tally
    today: date
    now: datetime
    renamed: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Laid:
    """What is to be written for a batch."""

    made: list[Subscription] = field(default_factory=list)
    changed: list[Subscription] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def lay(batch: Sequence[Wanted], work: Work) -> Laid:
    """Decide what each row does; refusals and remarks go to the tally. Locks the subscriptions that exist."""
    known = _known(batch)
    touched = _touched(known.values())
    laid = Laid()
    for wanted in batch:
        owner = work.owners.get(wanted.customer)
        if owner is None:
            _refuse(work, wanted, "customer_external_id", f"there is no customer {shown(wanted.customer)}")
            continue
        _compare_names(wanted, work)
        subscription = known.get(wanted.external_id)
        if subscription is None:
            _begin(wanted, owner, work, laid)
        elif subscription.status in _ENDED:
            _leave(wanted, subscription, owner, work)
        elif subscription.pk in touched:
            _adjust(wanted, subscription, owner, work, laid)
        else:
            _correct(wanted, subscription, owner, work, laid)
    return laid


def _known(batch: Sequence[Wanted]) -> dict[str, Subscription]:
    rows = Subscription.objects.filter(external_id__in=[wanted.external_id for wanted in batch])
    locked = rows.order_by("id").select_for_update(of=("self",), no_key=True).select_related("price")
    return {str(subscription.external_id): subscription for subscription in locked}


def _touched(subscriptions: Iterable[Subscription]) -> set[UUID]:
    """Which of them were billed here, or have an event that is not an import's."""
    ids = [subscription.pk for subscription in subscriptions]
    lines = InvoiceLine.objects.filter(subscription__in=ids).order_by()
    billed = lines.values_list("subscription_id", flat=True).distinct()
    events = AuditEvent.objects.filter(subject_kind="subscription", subject_id__in=[str(pk) for pk in ids])
    others = events.exclude(details__contains=SOURCE).order_by().values_list("subject_id", flat=True)
    return {pk for pk in billed if pk is not None}.union(UUID(pk) for pk in others.distinct())


def _compare_names(wanted: Wanted, work: Work) -> None:
    """Say once for each name that a known product is called otherwise; it keeps the name that it has."""
    name = work.offers.products[wanted.offer.code].name
    key = (wanted.offer.code, wanted.offer.name)
    if name != wanted.offer.name and key not in work.renamed:
        work.renamed.add(key)
        reason = f"product {shown(wanted.offer.code)} is called {shown(name)} here and stays so"
        work.tally.warnings.add(wanted.line, "product_name", reason)


def _begin(wanted: Wanted, owner: Owner, work: Work, laid: Laid) -> None:
    if owner.is_closed:
        _refuse(work, wanted, "customer_external_id", "is closed, and gets no new subscription")
        return
    if not _may_stand(wanted, work):
        return
    # Its setup fee, if there was one, was paid where it began.
    terms = {"customer_id": owner.id, **_terms(wanted, work), **_place(wanted)}
    new = Subscription(external_id=wanted.external_id, setup_billed=True, created_at=work.now, **terms)
    laid.made.append(new)
    laid.notes.append(_note(Action.SUBSCRIPTION_CREATED, new, {"after": _shown(terms)}))


def _leave(wanted: Wanted, subscription: Subscription, owner: Owner, work: Work) -> None:
    """Change nothing of what has ended; a row that asks for a change is refused."""
    asked = {"customer_id": owner.id, **_terms(wanted, work)}
    ended = f"is {subscription.status} here"
    if _differing(subscription, asked):
        _refuse(work, wanted, "external_id", f"{ended} and cannot change; bring it under another id")
        return
    work.tally.warnings.add(wanted.line, "external_id", f"{ended} and stays so")
    work.tally.unchanged += 1


def _adjust(wanted: Wanted, subscription: Subscription, owner: Owner, work: Work, laid: Laid) -> None:
    """Take price and quantity; the place on the grid stays."""
    fixed = (
        ("customer_external_id", owner.id != subscription.customer_id),
        ("started_on", wanted.started_on != subscription.started_on),
        ("cycle", wanted.offer.cycle != subscription.price.cycle),
    )
    if wrong := [column for column, differs in fixed if differs]:
        for column in wrong:
            reason = "cannot change: it was billed or changed here; cancel it and bring it under another id"
            _refuse(work, wanted, column, reason)
        return
    if subscription.next_due_on is not None and wanted.next_due_on > subscription.next_due_on:
        reason = f"stays {subscription.next_due_on.isoformat()}: it was billed or changed here"
        work.tally.warnings.add(wanted.line, "next_due_on", reason)
    _change(subscription, _terms(wanted, work), work, laid)


def _correct(wanted: Wanted, subscription: Subscription, owner: Owner, work: Work, laid: Laid) -> None:
    """Take everything: nothing has happened here yet that the row could contradict."""
    moved = _differing(subscription, {"customer_id": owner.id, **_place(wanted)})
    if "customer_id" in moved and owner.is_closed:
        _refuse(work, wanted, "customer_external_id", "is closed, and gets no new subscription")
    elif not moved or _may_stand(wanted, work):
        _change(subscription, {**moved, **_terms(wanted, work)}, work, laid)


def _may_stand(wanted: Wanted, work: Work) -> bool:
    """Whether the row's place can be taken: not so far back that the first run would refuse to bill it."""
    overdue = 0
    try:
        if wanted.next_due_on <= work.today:
            anchor, index = wanted.anchoring
            overdue = index_of(anchor, wanted.offer.cycle, work.today) - index + 1
    except PeriodError as error:
        _refuse(work, wanted, "next_due_on", str(error))
        return False
    if overdue > MAX_PERIODS:
        reason = f"lies {overdue} periods back; at most {MAX_PERIODS} are billed"
        _refuse(work, wanted, "next_due_on", reason)
        return False
    if wanted.off_grid:
        reason = f"{wanted.off_grid}; periods are counted from {wanted.next_due_on.isoformat()} instead"
        work.tally.warnings.add(wanted.line, "next_due_on", reason)
    return True


def _terms(wanted: Wanted, work: Work) -> dict[str, Any]:
    price: Price = work.offers.prices[wanted.offer.key]
    return {"price_id": price.pk, "quantity": wanted.quantity}


def _place(wanted: Wanted) -> dict[str, Any]:
    return {
        "started_on": wanted.started_on,
        "anchored_on": wanted.anchoring.anchor,
        "next_index": wanted.anchoring.next_index,
        "next_due_on": wanted.next_due_on,
    }


def _change(subscription: Subscription, fields: Mapping[str, Any], work: Work, laid: Laid) -> None:
    different = _differing(subscription, fields)
    if not different:
        work.tally.unchanged += 1
        return
    before = {name: getattr(subscription, name) for name in different}
    for name, value in different.items():
        setattr(subscription, name, value)
    laid.changed.append(subscription)
    details = {"before": _shown(before), "after": _shown(different)}
    laid.notes.append(_note(Action.SUBSCRIPTION_CHANGED, subscription, details))


def _differing(subscription: Subscription, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if getattr(subscription, name) != value}


def _refuse(work: Work, wanted: Wanted, column: str, reason: str) -> None:
    work.tally.problems.add(wanted.line, column, reason)


def _shown(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in fields.items()}


def _note(action: Action, subscription: Subscription, details: dict[str, Any]) -> Note:
    return Note(action, "subscription", str(subscription.pk), {**details, **SOURCE})
