"""An exercise of an incident on a demo: a workspace full of people, everything rotated, everybody told.

Meanwhile the site is asked all the time whether it still answers.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from accounts.models import User
from audit.actors import Actor
from privacy import incidents, notifying
from privacy.incidents import Found
from privacy.models import Incident, IncidentNotice
from privacy.rotating import by_hand
from privacy.scoping import Reach
from tenants import clock, rekeying
from tenants.context import enter, enter_public
from tenants.directory import site_url
from tenants.ids import new_id
from tenants.models import Tenant
from tenants.provisioning import NewTenant, create_tenant
from tenants.working import work_off

ACTOR = Actor.system("incident drill")
BATCH = 500
PAUSE = 0.2
WAIT = timedelta(minutes=10)
Say = Callable[[str], None]

WORDS = {
    "consequences": "None: this is an exercise. In earnest, what may follow stands here.",
    "measures": "All sessions were ended and all keys replaced. In earnest, what to do stands here.",
    "mail_subject": "A notice about your data",
    "mail_text": "We exercise how we would tell you if something had happened to your data.",
    "public_title": "Nothing has happened",
    "public_text": "We exercised how we would tell everybody. No data was touched.",
}


class DrillFailed(RuntimeError):
    """Part of the exercise did not work; says which."""


@dataclass
class Watch:
    """Asks these pages, as (host, path), all the time; keeps what went wrong and how long the slowest took.

    All are asked of SITE_URL's server: hosts under localhost are known to browsers, not to every machine.
    """

    pages: tuple[tuple[str, str], ...]
    asked: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with httpx.Client(base_url=settings.SITE_URL, timeout=10) as client:
            while not self._over.is_set():
                for host, path in self.pages:
                    self._ask(client, host, path)
                self._over.wait(PAUSE)

    def _ask(self, client: httpx.Client, host: str, path: str) -> None:
        began, problem = time.monotonic(), ""
        try:
            status = client.get(path, headers={"Host": host}).status_code
            problem = "" if status == HTTPStatus.OK else str(status)
        except httpx.HTTPError as error:
            problem = type(error).__name__
        self.asked += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        if problem:
            self.wrong.append(f"{problem} {host}{path}")

    def __enter__(self) -> "Watch":
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=30)


def drill(*, people: int, say: Say) -> Incident:
    """Run the whole exercise; raises `DrillFailed`. Talks to the mail server and to the site itself."""
    began = time.monotonic()
    tenant = _workspace(people)
    say(f"workspace {tenant.slug} with {people} people")
    own, theirs = urlsplit(settings.SITE_URL).netloc, urlsplit(site_url(tenant)).netloc
    with Watch(((own, "/healthz"), (own, "/notices/"), (theirs, "/log-in/"))) as watch:
        incident = _declare_and_scope(tenant, people)
        say(f"declared and scoped: {people} affected")
        incidents.publish(incident, actor=ACTOR, now=clock.now())
        say("public notice stands at /notices/")
        incidents.rotate(incident, actor=ACTOR, now=clock.now())
        _replace_by_hand(incident)
        _wait_for_rotations(incident)
        for each in incident.rotations.order_by("schema_name", "name"):
            say(f"rotated: {each.name} in {each.schema_name}: {each.outcome}")
        _tell_everybody(incident, people, say)
        incidents.tell_authority(
            incident, authority="Exercise", reference="none", at=clock.now(), actor=ACTOR, now=clock.now()
        )
        incidents.close(incident, actor=ACTOR, now=clock.now())
    if watch.wrong:
        raise DrillFailed(f"the site failed {len(watch.wrong)} of {watch.asked} times: {watch.wrong[:3]}")
    say(f"the site answered {watch.asked} of {watch.asked} times, at the slowest in {watch.slowest:.2f} s")
    say(f"done in {time.monotonic() - began:.0f} s; by the provider's cap the mails would take"
        f" {notifying.hours_for(people):.1f} hours of the 72")  # fmt: skip
    incident.refresh_from_db()
    return incident


def _workspace(people: int) -> Tenant:
    now = clock.now()
    slug = f"drill-{now:%m%d%H%M%S}"
    tenant = create_tenant(NewTenant(slug, "Exercise", "US", "USD", "UTC"), actor=ACTOR, now=now)
    with enter(tenant):
        User.objects.bulk_create(
            (
                User(
                    id=new_id(), email=f"person-{n}@drill.example", name=f"Person {n}",
                    role=User.Role.CONTACT, created_at=now, password="!",
                )
                for n in range(people)
            ),
            batch_size=2_000,
        )  # fmt: skip
    return tenant


def _declare_and_scope(tenant: Tenant, people: int) -> Incident:
    now = clock.now()
    found = Found("Exercise", "An exercise: nothing has happened.", now, is_drill=True)
    incident = incidents.declare(found, actor=ACTOR, now=now)
    affected = incidents.scope(incident, Reach((tenant.schema_name,)), actor=ACTOR, now=now)
    if affected != people:
        raise DrillFailed(f"{affected} people were found, and {people} are there")
    return incidents.describe(incident, actor=ACTOR, now=now, **WORDS)


def _replace_by_hand(incident: Incident) -> None:
    """The keys as a person would, who has the rights; the rest is ticked as an exercise."""
    rekeying.rotate_key_encryption_key(actor=ACTOR, now=clock.now(), progress=lambda _: None)
    rekeying.replace_data_keys(actor=ACTOR, now=clock.now(), progress=lambda _: None)
    incidents.notice_replaced(actor=ACTOR, now=clock.now())
    names = [each.name for each in by_hand()]
    for row in incident.rotations.filter(name__in=names, done_at__isnull=True):
        incidents.tick(incident, row.pk, note="exercise: not replaced", actor=ACTOR, now=clock.now())
    incidents.review(incident, found="Exercise: nothing to be seen.", actor=ACTOR, now=clock.now())


def _wait_for_rotations(incident: Incident) -> None:
    """The workers do them; where none runs, this process does."""
    until = time.monotonic() + WAIT.total_seconds()
    while time.monotonic() < until:
        with enter_public():
            if not incident.rotations.filter(done_at__isnull=True).exists():
                return
        _help_out()
        time.sleep(PAUSE)
    raise DrillFailed("credentials are still waiting to be rotated")


def _help_out() -> None:
    from tenants.models import Job

    with enter_public():
        waiting = Job.objects.filter(name=incidents.ROTATE, state=Job.State.WAITING)
        ids = list(waiting.values_list("pk", flat=True)[:10])
    work_off(ids, now=clock.now())


def _tell_everybody(incident: Incident, people: int, say: Say) -> None:
    began = time.monotonic()
    incidents.ask_notices(incident, actor=ACTOR, now=clock.now())
    waiting: Any = incident.notices.filter(state=IncidentNotice.State.WAITING)
    while True:
        notifying.send_batch(incident, limit=BATCH, clock=clock.now, capped=False)
        with enter_public():
            left = waiting.count()
            sent = incident.notices.filter(state=IncidentNotice.State.SENT).count()
        say(f"{sent} of {people} told")
        if not left:
            break
    if sent != people:
        raise DrillFailed(f"{people - sent} of {people} could not be told")
    say(f"{people} mails in {time.monotonic() - began:.0f} s")
