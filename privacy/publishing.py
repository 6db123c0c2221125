"""Publishing the policy: what the template and the inventory say now becomes a version that is never changed.

A substantial change takes effect 30 days at the earliest after every present customer was told (W4): the
database refuses anything else, and the rules here say why before it does.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import audience, policy_queries, policy_tables, policy_text
from privacy.models import PolicyRound, PolicyVersion
from privacy.models.policies import NOTICE
from privacy.policy_text import PolicyText
from tenants.context import enter, enter_public
from tenants.jobs import Asked, enqueue_many, planner
from tenants.set_up import Progress, set_up

log = logging.getLogger(__name__)

FIRST = "The first version."
SLACK = timedelta(days=1)


class PublishingRefused(ValueError):
    """The version cannot be published so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is said of a version: what changes, whether it is substantial, and from when it is to hold."""

    summary: str
    is_substantial: bool = False
    effective_at: datetime | None = None


def earliest(now: datetime, *, people: int, per_hour: int) -> datetime:
    """Return the first midnight at which a substantial change may hold: all mails, a day's slack, 30 days."""
    ready = now + timedelta(hours=-(-people // per_hour)) + SLACK + NOTICE
    midnight = datetime.combine(ready.date(), time(), UTC)
    return midnight if midnight >= ready else midnight + timedelta(days=1)


def count_people(*, now: datetime) -> int:
    """Return how many present customers there are, in all tenants."""
    with enter_public():
        tenants = list(policy_queries.present_tenants(since=now))
    people = 0
    for tenant in tenants:
        with enter(tenant):
            people += sum(1 for _ in audience.everybody())
    return people


def publish(change: Change, *, actor: Actor, now: datetime) -> PolicyVersion:
    """Make a version of what the template renders now. In the shared schema. Raises `PublishingRefused`."""
    text = policy_text.present()
    effective_at = _effective_at(change, now=now)
    with transaction.atomic():
        last = PolicyVersion.objects.select_for_update(no_key=True).order_by("-number").first()
        _refuse(change, text, effective_at, now=now)
        number = last.number + 1 if last else 1
        version = _write(change, text, effective_at, number=number, actor=actor, now=now)
        if version.is_substantial:
            _tell_everybody(version)
    return version


def publish_first(*, now: datetime) -> PolicyVersion | None:
    """Publish the first version where there is none, in force at once; None where there is one."""
    if PolicyVersion.objects.exists():
        return None
    actor = Actor.system("set-up")
    return _write(Change(FIRST), policy_text.present(), now, number=1, actor=actor, now=now)


def drift(*, now: datetime) -> str:
    """Say how the template differs from what holds and will hold; empty where it does not."""
    standing, text = policy_queries.standing(now=now), policy_text.present()
    if not standing:
        return "No version of the privacy policy is published. Run: manage.py migrate"
    last = standing[-1]
    if last.sha256 == text.sha256:
        return ""
    new = _new(text, standing)
    kind = f" The change is substantial ({', '.join(new)})." if new else ""
    option = "--substantial " if new else ""
    return (
        f"The privacy policy says something else now than version {last.number}, which stands.{kind} "
        f'Run: manage.py publish_policy {option}--summary "what changes"'
    )


@transaction.atomic
def announce(version: PolicyVersion, *, now: datetime) -> bool:
    """Note that everybody was told; from then on the version will take effect. False: not everybody yet."""
    version = PolicyVersion.objects.select_for_update(no_key=True).get(pk=version.pk)
    if version.announced_at is not None or not policy_queries.all_are_told(version):
        return False
    version.announced_at = now
    version.save(update_fields=["announced_at"])
    record(
        Action.POLICY_ANNOUNCED,
        subject=("policy", version.pk),
        actor=Actor.system("policy notices"),
        now=now,
        number=version.number,
    )
    return True


@planner
def watch_announcements(now: datetime) -> None:
    """Note of each version being announced when everybody was told."""
    for version in policy_queries.being_announced(now=now):
        announce(version, now=now)


@set_up
def first_policy(now: datetime, progress: Progress) -> None:
    """Publish the first version; tell whoever migrates when the text has changed since the last one."""
    if (version := publish_first(now=now)) is not None:
        progress(f"privacy policy: version {version.number}")
    elif said := drift(now=now):
        progress(said)


def _effective_at(change: Change, *, now: datetime) -> datetime:
    if not change.is_substantial:
        if change.effective_at is not None and change.effective_at < now:
            raise PublishingRefused("A version cannot take effect before it is published.")
        return change.effective_at or now
    first = earliest(now, people=count_people(now=now), per_hour=settings.NOTICES_PER_HOUR)
    if change.effective_at is not None and change.effective_at < first:
        raise PublishingRefused(
            f"A substantial change holds 30 days at the earliest after everybody was told of it. With "
            f"{settings.NOTICES_PER_HOUR} mails an hour that is {first:%Y-%m-%d}: choose that day or later."
        )
    return change.effective_at or first


def _refuse(change: Change, text: PolicyText, effective_at: datetime, *, now: datetime) -> None:
    if not change.summary.strip():
        raise PublishingRefused("Say in the summary what changes: people read it.")
    if not (standing := policy_queries.standing(now=now)):
        return
    last = standing[-1]
    if last.sha256 == text.sha256:
        raise PublishingRefused(f"Nothing has changed since version {last.number}.")
    if not change.is_substantial:
        _refuse_as_small(text, standing, now=now)
    if effective_at < last.effective_at:
        raise PublishingRefused(
            f"Version {last.number} takes effect on {last.effective_at:%Y-%m-%d}: choose that day or later."
        )


def _refuse_as_small(text: PolicyText, standing: Sequence[PolicyVersion], *, now: datetime) -> None:
    if waited_for := [each for each in standing if each.is_substantial and each.effective_at > now]:
        raise PublishingRefused(
            f"Version {waited_for[-1].number} takes effect on {waited_for[-1].effective_at:%Y-%m-%d}, and "
            "this text already has its changes in it. Wait until that day."
        )
    if new := _new(text, standing):
        raise PublishingRefused(
            f"This change is substantial: {', '.join(new)}. Publish it as such; everybody is told first."
        )


def _new(text: PolicyText, standing: Sequence[PolicyVersion]) -> list[str]:
    """Name what the text says that people have not heard from each version which it comes after."""
    found = (new for each in standing for new in policy_tables.substantial(each.facts, text.facts))
    return list(dict.fromkeys(found))


def _write(
    change: Change, text: PolicyText, effective_at: datetime, *, number: int, actor: Actor, now: datetime
) -> PolicyVersion:
    version = PolicyVersion.objects.create(
        number=number,
        text=text.html,
        sha256=text.sha256,
        facts=text.facts,
        summary=change.summary.strip(),
        is_substantial=change.is_substantial,
        last_updated=now.astimezone(UTC).date(),
        published_at=now,
        published_by=actor.label[:254],
        effective_at=effective_at,
    )
    record(
        Action.POLICY_PUBLISHED,
        subject=("policy", version.pk),
        actor=actor,
        now=now,
        number=number,
        sha256=text.sha256,
        is_substantial=change.is_substantial,
        effective_at=effective_at.isoformat(),
    )
    return version


def _tell_everybody(version: PolicyVersion) -> None:
    schemas = list(
        policy_queries.present_tenants(since=version.published_at).values_list("schema_name", flat=True)
    )
    PolicyRound.objects.bulk_create(PolicyRound(version=version, schema_name=each) for each in schemas)
    key = f"policy_notices:{version.pk}"
    for schema in schemas:
        enqueue_many(
            [Asked("privacy.plan_policy_notices", {"version_id": str(version.pk)}, key=key)], schema=schema
        )
