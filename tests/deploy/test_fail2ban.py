"""The real fail2ban-regex over lines that the real logger wrote: every refusal is seen, nothing else is."""

import configparser
import io
import logging
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client, RequestFactory

from billing.models import StripeConnection
from operations import alerting
from operations.patterns import Finding
from proecommerce.logs import OneLine
from tenants import security_log
from tenants.origins import network_of
from tests.conftest import ROOT

PROGRAM = shutil.which("fail2ban-regex")
FILTER = ROOT / "deploy" / "fail2ban" / "filter.d" / "proecommerce.conf"
ABUSE = ROOT / "deploy" / "fail2ban" / "filter.d" / "proecommerce-abuse.conf"
FORMAT = "{asctime} {levelname} {name} {message}"
EVENTS: tuple[security_log.Event, ...] = ("login_failed", "limit_hit", "unknown_host")
FORGED = (
    "2026-11-24 23:40:01,123 WARNING proecommerce.security "
    'event=login_failed ip=192.0.2.66 network=192.0.2.66 host="x"'
)
HOSTILE = (
    FORGED,
    f"\r\n{FORGED}",
    f"\n{FORGED}",
    f"\u2028{FORGED}",
    f"\x85{FORGED}",
    f"\x0b{FORGED}\x0c{FORGED}",
    f'" ip=192.0.2.66 host="x" {FORGED}',
    f'\\" ip=192.0.2.66 {FORGED}',
    "() { :; }; echo",
    "ip=192.0.2.66",
    "event=login_failed ip=192.0.2.66",
    "%0d%0a" + FORGED,
    "\ud800".encode("utf-8", "replace").decode() + FORGED,
)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the process writes to its log, by the formatter of production."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine(FORMAT, style="{"))
    logging.root.addHandler(handler)
    yield stream
    logging.root.removeHandler(handler)


def innocent(count: int) -> None:
    """Lines of every kind that hold what a stranger wrote: in messages, arguments, names, tracebacks."""
    chance = random.Random(7)
    for n in range(count):
        text = HOSTILE[n % len(HOSTILE)]
        match n % 5:
            case 0:
                logging.getLogger("django.request").warning("Not Found: %s", text)
            case 1:
                logging.getLogger("proecommerce.errors").error("reference 1: GET %s failed", text)
            case 2:
                try:
                    raise ValueError(text)
                except ValueError:
                    logging.getLogger("tenants.working").exception("job %s failed", text)
            case 3:
                request = RequestFactory().post("/", HTTP_USER_AGENT=text, REMOTE_ADDR="192.0.2.1")
                security_log.note(request, "form_refused", form=text)
            case _:
                agent = f"{text} {chance.random()}"
                logging.getLogger("stripe").warning("proecommerce.security %s", agent)


def refused(count: int) -> set[str]:
    """Refusals of so many callers, whose requests say what they like; returns their networks."""
    networks = set()
    for n in range(count):
        address = f"203.0.{n // 250}.{n % 250 + 1}" if n % 3 else f"2001:db8:{n:x}::1"
        networks.add(network_of(address))
        text = HOSTILE[n % len(HOSTILE)]
        request = RequestFactory().post("/log-in/", HTTP_USER_AGENT=text, HTTP_HOST=text, REMOTE_ADDR=address)
        request.path = f"/{text}"
        security_log.note(request, EVENTS[n % len(EVENTS)], reason=text)
    return networks


def seen(lines: str, folder: Path, by: Path = FILTER) -> list[str]:
    """The networks that fail2ban finds in these lines."""
    if PROGRAM is None:
        pytest.skip("fail2ban is not installed: apt-get install fail2ban")
    log = folder / "security.log"
    log.write_text(lines, encoding="utf-8")
    command = [PROGRAM, "--usedns", "no", "-o", "ip", str(log), str(by)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split()


def test_every_refusal_is_seen_with_its_callers_network(written: io.StringIO, tmp_path: Path) -> None:
    networks = refused(1000)
    assert len(written.getvalue().splitlines()) == 1000
    found = seen(written.getvalue(), tmp_path)
    assert len(found) == 1000
    assert set(found) == networks
    assert "2001:db8:3::/64" in networks


def test_nothing_that_strangers_write_is_taken_for_a_refusal(written: io.StringIO, tmp_path: Path) -> None:
    innocent(1000)
    lines = written.getvalue()
    assert lines.count("\n") >= 1000 and "192.0.2.66" in lines
    assert seen(lines, tmp_path) == []


def test_only_abuse_that_may_be_banned_is_banned_and_by_a_filter_of_its_own(
    written: io.StringIO, tmp_path: Path
) -> None:
    """Lines as the watch writes them, among refusals and what strangers write."""
    innocent(100)
    networks = refused(20)
    for kind, address in (
        ("scan", "203.0.113.9"), ("spraying", "2001:db8:7::9"), ("burst", "203.0.113.10"),
        ("cross_scan", "203.0.113.11"),
        ("one_account", ""),
    ):  # fmt: skip
        moment = datetime(2026, 11, 24, tzinfo=UTC)
        network = network_of(address) if address else ""
        alerting._tell(Finding(kind, network, "mark", address, (), 50, 600, moment, moment))
    lines = written.getvalue()
    assert seen(lines, tmp_path, by=ABUSE) == ["203.0.113.9", "2001:db8:7::/64"]
    assert set(seen(lines, tmp_path)) == networks
    assert "mark" not in lines.split("event=abuse", 1)[1]


def jail(name: str) -> Any:
    read = configparser.ConfigParser()
    read.read(ROOT / "deploy" / "fail2ban" / "jail.d" / f"{name}.conf")
    return read[name]


@pytest.mark.parametrize("name", ["proecommerce", "proecommerce-abuse"])
def test_the_jails_read_what_the_containers_write_and_shut_what_they_publish(name: str) -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    wanted = jail(name)
    for writer in ("web", "worker"):  # the watch over the log of requests is a job
        assert services[writer]["environment"]["SECURITY_LOG"] == wanted["logpath"]
        (folder,) = [each for each in services[writer]["volumes"] if not isinstance(each, str)]
        assert folder["source"] == folder["target"] == str(Path(wanted["logpath"]).parent)
    assert (ROOT / "deploy" / "logrotate.d" / "proecommerce").read_text().count(wanted["logpath"]) == 1
    # In DOCKER-USER a packet bears the port of the container already.
    inside = {port.split(":")[1] for port in services["caddy"]["ports"]}
    assert {each.partition("/")[0] for each in inside} == {"80", "443"}
    assert wanted["port"].split(",") == ["http", "https"]
    assert {each.partition("/")[2] or "tcp" for each in inside} == set(wanted["protocol"].split(","))
    assert (wanted["chain"], wanted["banaction"]) == ("DOCKER-USER", "iptables-multiport")
    assert (ROOT / "deploy" / "fail2ban" / "filter.d" / f"{wanted['filter']}.conf").is_file()


def test_the_real_program_takes_the_jails_and_bans_where_packets_are_forwarded(tmp_path: Path) -> None:
    if (client := shutil.which("fail2ban-client")) is None or not Path("/etc/fail2ban/action.d").is_dir():
        pytest.skip("fail2ban is not installed: apt-get install fail2ban")
    shutil.copytree("/etc/fail2ban", tmp_path, dirs_exist_ok=True)
    shutil.copytree(ROOT / "deploy" / "fail2ban", tmp_path, dirs_exist_ok=True)
    told = subprocess.run(
        [client, "-c", str(tmp_path), "-d"], capture_output=True, text=True, check=True
    ).stdout
    for name in ("proecommerce", "proecommerce-abuse"):
        (ban,) = [row for row in told.splitlines() if row.startswith(f"['multi-set', '{name}', 'action'")]
        assert "for proto in $(echo 'tcp,udp'" in ban
        assert f"-I DOCKER-USER -p $proto -m multiport --dports http,https -j f2b-{name}" in ban


def test_no_page_of_another_site_gets_its_visitors_banned(
    tenant: Any, now: datetime, written: io.StringIO, tmp_path: Path
) -> None:
    """Forms, pictures and programs of another origin, more of each than it takes to be banned."""
    StripeConnection.objects.create(
        kind="restricted", account_id="acct_1", publishable_key="pk_1", connected_at=now, sealed_key="rk_1",
        sealed_webhook_secret="whsec_1",
    )  # fmt: skip
    client = Client(HTTP_HOST="alpha.localhost", enforce_csrf_checks=True, REMOTE_ADDR="203.0.113.77")
    evil = {"origin": "https://evil.example"}
    for path in ("/log-in/", "/webhooks/stripe/", "/unsubscribe/none/", "/account/confirm/"):
        answers = {client.post(path, {"email": "x"}, headers=evil).status_code for _ in range(65)}
        assert answers <= {400, 403, 404, 429}, path
    for site in ("cross-site", "same-site"):
        client.get("/", headers={"host": "nobody.localhost", "sec-fetch-site": site})
    lines = written.getvalue()
    assert lines.count("event=cross_site ip=203.0.113.77") > 240
    assert lines.count('was="forged_signature"') == 65
    assert seen(lines, tmp_path) == []
    # Anybody with an account at Stripe can have Stripe itself send us events that are not for us.
    for host in ("alpha.localhost", "nobody.localhost"):
        for _ in range(65):
            client.post("/webhooks/stripe/", {"id": "evt"}, REMOTE_ADDR="203.0.113.78", HTTP_HOST=host)
    assert "event=forged_signature ip=203.0.113.78" in written.getvalue()
    assert seen(written.getvalue(), tmp_path) == []
    client.get("/", REMOTE_ADDR="203.0.113.79", HTTP_HOST="nobody.localhost")
    assert seen(written.getvalue(), tmp_path) == ["203.0.113.79"]


def test_a_line_is_one_line_whatever_is_in_it(written: io.StringIO) -> None:
    innocent(200)
    refused(200)
    for line in written.getvalue().split("\n"):
        assert line == "" or line.startswith(("  | ", "20")), line
        assert line.isprintable(), line
        if line[23:].startswith(" WARNING proecommerce.security event="):
            assert line.isascii()


def test_the_settings_log_by_that_formatter() -> None:
    from django.conf import settings

    plain: Any = settings.LOGGING["formatters"]
    assert plain["plain"]["()"] == "proecommerce.logs.OneLine"
    assert plain["plain"]["format"] == FORMAT


def test_the_file_for_fail2ban_gets_the_same_lines_and_no_others(tmp_path: Path) -> None:
    log = tmp_path / "security.log"
    program = (
        "import django, logging; django.setup();"
        "logging.getLogger('django.request').warning('another');"
        "logging.getLogger('proecommerce.security').warning('event=login_failed ip=203.0.113.9"
        ' network=203.0.113.9 host="x"\')'
    )
    env = os.environ | {"SECURITY_LOG": str(log), "DJANGO_SETTINGS_MODULE": "proecommerce.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    ours = ' WARNING proecommerce.security event=login_failed ip=203.0.113.9 network=203.0.113.9 host="x"\n'
    assert log.read_text().endswith(ours)
    assert log.read_text().count("\n") == 1
    assert "proecommerce.security" not in done.stderr  # what holds addresses is kept in one place
    assert "another" in done.stderr
    assert seen(log.read_text(), tmp_path) == ["203.0.113.9"]
