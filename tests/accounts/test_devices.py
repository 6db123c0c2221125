"""What devices are called, and when a person hears of a new one."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import jobs, known_devices
from accounts.devices import UNKNOWN, device_of, is_handheld, network_of
from accounts.models import EmailChange, KnownDevice, Session, User
from privacy import retention
from tenants import clock
from tenants.models import Job
from tests import logging_in
from tests.accounts.conftest import actions

Browser = Callable[..., Client]
People = Callable[..., User]

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
CHROMEBOOK = "Mozilla/5.0 (X11; CrOS x86_64 16181.0)"
SAMSUNG = "SamsungBrowser/28.0 Chrome/130.0"
KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
DROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{WINDOWS} {KIT} Chrome/141.0 Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} {KIT} Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
        (f"{WINDOWS} {KIT} Chrome/141.0 Safari/537.36 OPR/120.0", "Opera on Windows"),
        (f"{MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "Safari on Mac"),
        (f"{PHONE} Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{PHONE} CriOS/141.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (f"{PHONE} FxiOS/140.0 Mobile/15E148 Safari/605.1.15", "Firefox on iPhone"),
        (f"{DROID} {KIT} Chrome/141.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"{DROID} {KIT} {SAMSUNG} Mobile Safari/537.36", "Samsung Internet on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"{CHROMEBOOK} {KIT} Chrome/141.0 Safari/537.36", "Chrome on a Chromebook"),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("Mozilla/5.0", UNKNOWN),
        ("", UNKNOWN),
        ("<script>alert(1)</script>", UNKNOWN),
    ],
)  # fmt: skip
def test_devices_have_plain_names(agent: str, name: str) -> None:
    assert device_of(agent) == name
    assert is_handheld(name) == ("iPhone" in name or "Android" in name)


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.200", "192.0.2.0/24"), ("2001:db8:1:2::9", "2001:db8:1::/48"), (None, ""),
    ],
)  # fmt: skip
def test_an_address_belongs_to_a_network(ip: str | None, network: str) -> None:
    assert network_of(ip) == network


def notices() -> list[dict[str, Any]]:
    return [job.args for job in Job.objects.filter(name="accounts.mail_new_device")]


def test_a_device_that_was_not_seen_for_90_days_is_told_of(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = people()
    home = {"HTTP_USER_AGENT": f"{WINDOWS} Firefox/140.0", "REMOTE_ADDR": "192.0.2.7"}

    def told(**where: str) -> bool:
        before = len(notices())
        logging_in.enter(browser(**where), User.objects.get())
        return len(notices()) > before

    assert not told(**home)  # the very first log-in
    assert not told(**home | {"REMOTE_ADDR": "192.0.2.250"})  # the same house
    assert told(**home | {"REMOTE_ADDR": "198.51.100.7"})
    assert not told(**home | {"REMOTE_ADDR": "198.51.100.7"})
    assert told(**home | {"HTTP_USER_AGENT": f"{PHONE} FxiOS/140.0"})
    assert KnownDevice.objects.count() == 3
    KnownDevice.objects.update(last_seen_at=clock.now() - timedelta(days=90))
    assert told(**home)

    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append((mail, to)))
    jobs.mail_new_device(**notices()[0])
    mail, to = sent[0]
    assert to == user.email
    assert "Firefox on Windows, from the address 198.51.100.7" in mail.text
    assert "/account/sessions/" in mail.text
    Session.objects.all().delete()
    jobs.mail_new_device(**notices()[0])
    assert len(sent) == 1


def test_a_known_device_is_remembered_without_its_address(tenant: Any, people: People, now: datetime) -> None:
    user = people()
    known_devices.note(user, "Firefox on Windows", "192.0.2.7", now=now)
    device = KnownDevice.objects.get()
    assert "192" not in device.mark[:8] and len(device.mark) == 64
    assert {f.name for f in KnownDevice._meta.get_fields()} == {"id", "user", "mark", "last_seen_at"}


def test_what_is_too_old_is_purged_and_what_lives_stays(
    tenant: Any, browser: Browser, people: People, actor: Any
) -> None:
    user, now, client = people(role="contact"), clock.now(), browser()
    logging_in.enter(client, user)
    old = logging_in.enter(browser(), user)
    Session.objects.filter(pk=old.pk).update(begun_at=now - timedelta(days=30, seconds=1))
    known_devices.note(user, "Safari on iPad", "192.0.2.7", now=now - timedelta(days=91))
    for age in (timedelta(days=40), timedelta(hours=1)):
        EmailChange.objects.create(
            user=user, old_email="a@x.example", new_email="b@x.example", asked_at=now - age,
            expires_at=now - age + timedelta(days=1),
        )  # fmt: skip

    def run() -> dict[str, int]:
        return {each.table: each.count for each in retention.run(now=now, dry_run=False, actor=actor)}

    swept = run()
    assert (swept["accounts_session"], swept["accounts_knowndevice"]) == (1, 1)
    assert not any(run().values())
    assert client.get("/account/sessions/").status_code == 200
    assert (KnownDevice.objects.count(), EmailChange.objects.count()) == (1, 1)
    assert actions().count("retention.run") == 1
