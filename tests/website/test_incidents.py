"""The staff's pages of an incident, walked through as in earnest; what everybody sees; the drill."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.core.wsgi import get_wsgi_application
from django.test import Client

from accounts.models import User
from accounts.people import create_user
from privacy.models import Incident
from proecommerce.drilling import DrillFailed, Watch
from tenants import clock, rekeying
from tenants.context import enter_public
from tenants.directory import every_tenant
from tests.accounts.factors import SETUP
from tests.logging_in import enter as log_in

DECLARED = "/admin/privacy/incident/declare/"
WORDS = {
    "consequences": "Mails in our name.",
    "measures": "All sessions were ended.",
    "mail_subject": "Your data",
    "mail_text": "A laptop was stolen.",
    "public_title": "A laptop was stolen",
    "public_text": "It held names.",
}


@pytest.fixture
def staff(db: None, now: datetime) -> Client:
    with enter_public():
        user = create_user(
            email="robin@pro.example", name="Robin", role="platform", password=None, actor=SETUP, now=now
        )
        client = Client(HTTP_HOST=settings.SITE_HOST)
        log_in(client, user, methods={"password", "totp"})
    return client


def minutes(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


def test_the_staff_work_an_incident_off_step_by_step(staff: Client, tenant: Any) -> None:
    User.objects.create(email="p@alpha.example", name="P", role="contact", created_at=clock.now())
    found = clock.now() - timedelta(hours=3)
    declared = {"title": "Laptop", "nature": "A laptop was stolen.", "found_at": minutes(found)}
    tomorrow = declared | {"found_at": minutes(clock.now() + timedelta(days=1))}
    assert staff.post(DECLARED, tomorrow).status_code == 422
    page = staff.post(DECLARED, declared)["Location"]
    assert "68.9 hours left" in (text := staff.get(page).content.decode()) or "69.0 hours left" in text

    def step(name: str, **sent: Any) -> str:
        return staff.post(page, {"step": name, **sent}, follow=True).content.decode()

    assert "Find out first who is affected" in step("notify")
    assert "people are affected" in step("scope", tenants=[tenant.schema_name], kinds=["user"])
    text = step("rotate")
    assert "rotations are under way" in text and "manage.py rotate_keys" in text
    with enter_public():
        row = Incident.objects.get(title="Laptop").rotations.get(name="secret_key")
    assert "you have replaced it" in step("tick", row=row.pk, note="New one in the environment")
    assert (
        "New one in the environment" in (text := step("tick", row=row.pk, note="x"))
        and "valid choice" in text
    )
    assert "what the audit log shows" in step("review", found="Nobody but us.")
    assert "The texts are kept" in step("words", **WORDS)
    assert "notices leave from now on" in step("notify")
    assert "stands at /notices/" in step("publish")
    assert "Give the authority" in step("authority", because="")
    assert "in the register" in step("authority", authority="BlnBDI", at=minutes(found), reference="A1")
    assert "Not yet: rotate all credentials" in step("close")
    with enter_public():
        incident = Incident.objects.get(title="Laptop")
        incident.rotations.update(done_at=found, outcome="done")
        incident.notices.update(state="sent", sent_at=found)
        one = incident.notices.earliest("pk")
        one.state, one.sent_at, one.problem = "failed", None, "refused with 550"
        one.save()
    assert "refused the addresses of 1" in (text := step("close")) and "say why they cannot be told" in text
    assert "1 notices are tried again" in step("retry")
    assert "This field is required" in step("give_up", because="")
    assert "why 1 people" in step("give_up", because="Told by telephone")
    assert "kept for ever" in step("close")
    record = staff.get(page.replace("/change/", "/record/"))
    assert record["Content-Disposition"].startswith("attachment")
    assert "33(3)(c)" in record.content.decode()
    listed = Client(HTTP_HOST=settings.SITE_HOST).get("/notices/").content.decode()
    assert WORDS["public_title"] in listed
    assert WORDS["public_text"] in listed


def test_only_the_platforms_staff_see_it(db: None, now: datetime) -> None:
    with enter_public():
        from audit.actors import Actor
        from privacy.incidents import Found, declare

        incident = declare(Found("x", "y", now), actor=Actor.system("test"), now=now)
    stranger = Client(HTTP_HOST=settings.SITE_HOST)
    for path in ("declare/", f"{incident.pk}/change/", f"{incident.pk}/record/"):
        assert stranger.get(f"/admin/privacy/incident/{path}").status_code == 302
    assert "There are none" in stranger.get("/notices/").content.decode()


def test_an_exercise_is_no_public_notice_but_in_a_demo(db: None, now: datetime, settings: Any) -> None:
    with enter_public():
        Incident.objects.create(
            title="x", nature="y", found_at=now, declared_at=now, declared_by="z", is_drill=True,
            public_title="Exercise title", public_text="Text", published_at=now,
        )  # fmt: skip
    client = Client(HTTP_HOST=settings.SITE_HOST)
    settings.DEMO = False
    assert "Exercise title" not in client.get("/notices/").content.decode()
    settings.DEMO = True
    assert "Exercise title" in client.get("/notices/").content.decode()


def test_the_drill_runs_on_a_demo_only_and_needs_somebody(db: None, settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="demo only"):
        call_command("incident_drill", people=3)
    settings.DEMO = True
    with pytest.raises(CommandError, match="at least one"):
        call_command("incident_drill", people=0)


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site(committed: None, settings: Any) -> Iterator[None]:
    """The site, served on a port of its own; its threads give their connections back after each request."""
    server = make_server("127.0.0.1", 0, get_wsgi_application(), Server, Quiet)
    settings.SITE_URL = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()


def test_the_drill_tells_everybody_and_notices_a_site_that_is_down(
    site: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a real server: all are told, everything is rotated, the site answers all the time."""
    settings.DEMO = True
    # Other tests leave tenants whose keys they took away: here only the drill's own are given new ones.
    monkeypatch.setattr(
        rekeying, "every_tenant", lambda: [each for each in every_tenant() if each.slug.startswith("drill-")]
    )
    out = StringIO()
    call_command("incident_drill", people=40, stdout=out)
    said = out.getvalue()
    assert "40 of 40 told" in said
    assert "rotated: keys in public" in said
    assert "rotated: sessions in t_drill" in said
    assert len({message.to[0] for message in mail.outbox}) == 40
    with enter_public():
        incident = Incident.objects.latest("declared_at")
    assert incident.is_drill and incident.closed_at is not None
    settings.SITE_URL = "http://127.0.0.1:9"
    with Watch((("localhost", "/"),)) as watch:
        watch._thread.join(timeout=0.5)
    assert watch.wrong
    assert issubclass(DrillFailed, RuntimeError)
