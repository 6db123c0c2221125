"""Addresses that are promised back: while a change of address may be undone, the old one is its user's."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.models import EmailChange, User


def undoable(*, now: datetime) -> "QuerySet[EmailChange]":
    """The changes that a link mailed to the old address may still undo."""
    return EmailChange.objects.filter(undo_until__gt=now, undone_at__isnull=True)


def is_promised(email: str, user: User, *, now: datetime) -> bool:
    """Tell whether somebody else than `user` may get this address back, so that it cannot be given away."""
    return undoable(now=now).filter(old_email__iexact=email).exclude(user=user).exists()


def told_besides(user: User, *, now: datetime) -> list[str]:
    """The changes whose old addresses hear what happens to the log-in: the new one may be a thief's."""
    return [str(each) for each in undoable(now=now).filter(user=user).values_list("pk", flat=True)]
