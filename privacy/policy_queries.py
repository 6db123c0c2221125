"""Which version of the policy holds when. All in the shared schema."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum

from privacy.models import PolicyRound, PolicyVersion
from privacy.models.policies import NOTICE
from tenants.models import Tenant

ANNOUNCED = Q(is_substantial=False) | Q(announced_at__isnull=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the people of all tenants are told of a version; `people` None while some are being counted."""

    tenants: int
    finished: int
    people: int | None
    told: int
    failing: int

    @property
    def percent(self) -> int:
        """Of 100, rounded down: 100 is all."""
        return 100 if self.people == 0 else 100 * self.told // self.people if self.people else 0


def versions(*, now: datetime) -> QuerySet[PolicyVersion]:
    """Return the versions that held, hold, or may still come to hold; the last to take effect first."""
    coming = Q(effective_at__gte=now + NOTICE)
    return PolicyVersion.objects.filter(ANNOUNCED | coming).order_by("-effective_at", "-number")


def in_force(*, now: datetime) -> PolicyVersion | None:
    """Return the version that holds now; None before the first."""
    return _held(now).first()


def facts_in_force(*, now: datetime) -> dict[str, list[str]] | None:
    """Return the facts of the version that holds now, without its text; None before the first."""
    return _held(now).values_list("facts", flat=True).first()


def _held(now: datetime) -> QuerySet[PolicyVersion]:
    """The versions that hold or held, the one in force first."""
    held = PolicyVersion.objects.filter(ANNOUNCED, effective_at__lte=now)
    return held.order_by("-effective_at", "-number")


def in_force_on(day: date, *, now: datetime) -> PolicyVersion | None:
    """Return the version that held at the end of this day in UTC, or will, as things stand."""
    midnight = datetime.combine(day, time(), UTC) + timedelta(days=1)
    return versions(now=now).filter(effective_at__lt=midnight).first()


def coming(*, now: datetime) -> PolicyVersion | None:
    """Return the next version that will take effect, as things stand."""
    return versions(now=now).filter(effective_at__gt=now).last()


def neighbours(version: PolicyVersion, *, now: datetime) -> tuple[PolicyVersion | None, PolicyVersion | None]:
    """Return the version before this one, and the one after."""
    known = list(versions(now=now))
    at = next((place for place, each in enumerate(known) if each.pk == version.pk), None)
    if at is None:
        return None, None
    return (known[at + 1] if at + 1 < len(known) else None), (known[at - 1] if at > 0 else None)


def standing(*, now: datetime) -> Sequence[PolicyVersion]:
    """Return the version in force and each that may still come to hold, in the order of their effect.

    One of which people were not told in time is not among them: nobody ever heard of what it said.
    """
    ahead = versions(now=now).filter(effective_at__gt=now)
    held = in_force(now=now)
    return [*([held] if held else []), *reversed(ahead)]


def being_announced(*, now: datetime) -> Sequence[PolicyVersion]:
    """Return the substantial versions of which people are being told, and may still be in time."""
    return list(
        PolicyVersion.objects.filter(
            is_substantial=True, announced_at__isnull=True, effective_at__gte=now + NOTICE
        ).order_by("number")
    )


def present_tenants(*, since: datetime) -> QuerySet[Tenant]:
    """Return the tenants whose people must be told of a version that was published then."""
    present = Tenant.objects.exclude(status=Tenant.Status.CLOSED)
    return present.filter(is_rehearsal=False, created_at__lte=since)


def all_are_told(version: PolicyVersion) -> bool:
    """Tell whether no tenant has anybody left to be told."""
    finished = PolicyRound.objects.filter(version=version, finished_at__isnull=False).values("schema_name")
    return not present_tenants(since=version.published_at).exclude(schema_name__in=finished).exists()


def progress(version: PolicyVersion) -> Progress:
    """Return how far telling people of this version is."""
    found = PolicyRound.objects.filter(version=version).aggregate(
        tenants=Count("pk"),
        finished=Count("pk", filter=Q(finished_at__isnull=False)),
        counted=Count("pk", filter=Q(people__isnull=False)),
        people=Sum("people", default=0),
        told=Sum(F("told"), default=0),
        failing=Sum("failing", default=0),
    )
    people = found["people"] if found["counted"] == found["tenants"] else None
    return Progress(found["tenants"], found["finished"], people, found["told"], found["failing"])
