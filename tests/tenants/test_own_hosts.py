"""Hosts of tenants' own: claimed by many, had by who proves it, closed to all others while it stands."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from tenants import claiming, clock, outgoing, proving, watching
from tenants.claiming import WAITS
from tenants.context import enter, enter_public
from tenants.directory import site_url, tenant_of_host
from tenants.errors import HostRefused, HostUnknown
from tenants.hostnames import hostname_of
from tenants.models import Host, HostProof, Job
from tenants.working import work_off
from tests import logging_in
from tests.names import NameServer, name_server

NAME = "billing.lind.example"
HANDS: list[datetime] = []


@pytest.fixture
def names(settings: Any) -> Iterator[NameServer]:
    with name_server() as server:
        settings.DNS_SERVER = server.address
        yield server


@pytest.fixture
def by(actor: Any, now: datetime) -> dict[str, Any]:
    return {"actor": actor, "now": now}


def claim_of(tenant: Any) -> HostProof:
    with enter_public():
        return HostProof.objects.get(tenant=tenant)


@pytest.fixture(autouse=True)
def hands(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Where the edges' clock stands."""
    HANDS[:] = [now]
    monkeypatch.setattr(clock, "now", lambda: HANDS[0])


def look(tenant: Any, now: datetime) -> None:
    """Run the job of this tenant that looks for a proof, as a worker does."""
    HANDS[:] = [now]
    with enter_public():
        waiting = Job.objects.filter(schema_name=tenant.schema_name, name=claiming.JOB, state="waiting")
        ids = list(waiting.values_list("pk", flat=True))
    assert work_off(ids, now=now) == len(ids) == 1


def show_proof(names: NameServer, proof: HostProof) -> None:
    names.records[(proving.txt_name(proof.hostname), "TXT")] = [f'"{proving.txt_value(proof.token)}"']


def told() -> list[str]:
    return list(
        AuditEvent.objects.filter(action__startswith="host.").order_by("seq").values_list("action", flat=True)
    )


def test_a_name_becomes_a_host_when_its_proof_is_in_the_dns(
    tenant: Any, names: NameServer, by: dict[str, Any], now: datetime
) -> None:
    proof = claiming.claim(f" {NAME.upper()}. ", **by)
    assert proof.hostname == NAME and tenant_of_host(NAME) is None
    look(tenant, now)
    assert tenant_of_host(NAME) is None
    assert claim_of(tenant).problem == f"The TXT record _proecommerce.{NAME} is not there yet."
    show_proof(names, proof)
    look(tenant, now + timedelta(minutes=2))
    assert tenant_of_host(NAME) == tenant
    assert (claim_of(tenant).state, claim_of(tenant).method) == ("proven", "dns")
    assert claiming.claims_of(tenant) == []
    assert told() == ["host.claimed", "host.proven"]
    assert Client(HTTP_HOST=NAME).get("/log-in/").status_code == 200


def watch(tenant: Any, at: datetime) -> None:
    """Let a day's look at the tenant's hosts be planned, twice, and done, once."""
    HANDS[:] = [at]
    with enter_public():
        for _ in range(2):
            watching.plan(at)
        waiting = Job.objects.filter(schema_name=tenant.schema_name, name=watching.JOB, state="waiting")
        ids = list(waiting.values_list("pk", flat=True))
    assert work_off(ids, now=at + timedelta(hours=3)) == len(ids) == 1


def test_a_proven_host_is_looked_at_daily_and_its_owners_are_told_but_never_cut_off(
    tenant: Any, names: NameServer, by: dict[str, Any], now: datetime
) -> None:
    from accounts.people import create_user

    owner = create_user(email="o@a.example", name="O", role="owner", password=None, **by)
    show_proof(names, claiming.claim(NAME, **by))
    look(tenant, now)
    watch(tenant, now)
    assert claim_of(tenant).missing_since is None
    record = names.records.pop((proving.txt_name(NAME), "TXT"))
    mails = Job.objects.filter(schema_name=tenant.schema_name, name=watching.MAIL)
    for day in range(1, 6):
        watch(tenant, now + timedelta(days=day))
        with enter_public():
            assert mails.count() == (day >= 4), day  # missed on the first, three days before the fourth
    assert tenant_of_host(NAME) == tenant
    assert told() == ["host.claimed", "host.proven", "host.unproven"]
    with enter_public():
        work_off([mails.get().pk], now=now + timedelta(days=6))
        letter = Job.objects.get(schema_name=tenant.schema_name, name="accounts.mail_host")
    assert letter.args == {
        "user_id": str(owner.pk), "hostname": NAME,
        "problem": f"The TXT record _proecommerce.{NAME} is not there yet.",
    }  # fmt: skip
    browser = Client(HTTP_HOST="alpha.localhost")
    logging_in.enter(browser, owner)
    page = browser.get("/manage/settings/hosts/").content.decode()
    assert "we see neither the name lead here nor its proof" in page and f"_proecommerce.{NAME}" in page
    # The name leads to where ours does: that will do without a record.
    names.records[(NAME, "A")] = names.records[("alpha.localhost", "A")] = ["203.0.113.5"]
    watch(tenant, now + timedelta(days=7))
    assert claim_of(tenant).missing_since is None and told()[-1] == "host.proven"
    names.records[(NAME, "A")] = ["203.0.113.9"]
    watch(tenant, now + timedelta(days=8))
    assert claim_of(tenant).missing_since is not None
    names.records[(proving.txt_name(NAME), "TXT")] = record
    watch(tenant, now + timedelta(days=9))
    assert claim_of(tenant).missing_since is None
    with enter_public():
        assert mails.count() == 1


def test_the_proof_of_one_tenant_proves_nothing_for_another(
    two_tenants: Any, names: NameServer, by: dict[str, Any], now: datetime
) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        show_proof(names, claiming.claim(NAME, **by))
    with enter(beta):
        claiming.claim(NAME, **by)
        look(beta, now)
    assert tenant_of_host(NAME) is None
    assert claim_of(beta).problem.endswith("holds something else.")
    look(alpha, now)
    assert tenant_of_host(NAME) == alpha


def test_a_proven_name_is_closed_to_everybody_else_while_it_stands(
    two_tenants: Any, names: NameServer, by: dict[str, Any], now: datetime
) -> None:
    alpha, beta = two_tenants
    with enter(beta):
        early = claiming.claim(NAME, **by)
    with enter(alpha):
        show_proof(names, claiming.claim(NAME, **by))
        look(alpha, now)
    show_proof(names, early)  # beta has the DNS now, too: the name stays alpha's
    look(beta, now)
    assert tenant_of_host(NAME) == alpha
    assert claim_of(beta).problem == "Another business here has proven this name."
    with enter(beta):
        with pytest.raises(HostRefused, match="in use by another business"):
            claiming.look_again(early.pk, **by)
        claiming.withdraw(early.pk, **by)
        with pytest.raises(HostRefused, match="in use by another business"):
            claiming.claim(NAME, **by)
    with enter(alpha), enter_public():
        host = Host.objects.get(hostname=NAME)
    with enter(beta), pytest.raises(HostUnknown):
        claiming.remove(host.pk, **by)
    with enter(alpha):
        claiming.remove(host.pk, **by)
        assert told() == ["host.claimed", "host.proven", "host.removed"]
    with enter(beta):
        show_proof(names, claiming.claim(NAME, **by))
        look(beta, now)
    assert tenant_of_host(NAME) == beta


def test_it_is_looked_for_three_days_and_then_when_asked(
    tenant: Any, names: NameServer, by: dict[str, Any], now: datetime
) -> None:
    proof, at = claiming.claim(NAME, **by), now
    for minutes in (*WAITS, 0):
        look(tenant, at)
        at += timedelta(minutes=minutes)
    assert timedelta(days=2) < at - now < timedelta(days=4)
    assert claim_of(tenant).state == "idle"
    with enter_public():
        own = Job.objects.filter(schema_name=tenant.schema_name, args__proof_id=str(proof.pk))
        assert own.exists() and not own.filter(state="waiting").exists()
    show_proof(names, proof)
    claiming.look_again(proof.pk, actor=by["actor"], now=at)
    look(tenant, at)
    assert tenant_of_host(NAME) == tenant


def test_a_name_server_that_is_silent_is_no_proof(
    tenant: Any, names: NameServer, by: dict[str, Any], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenants import dns_gateway

    monkeypatch.setattr(dns_gateway, "SECONDS", 0.3)
    show_proof(names, claiming.claim(NAME, **by))
    names.silent = True
    look(tenant, now)
    assert tenant_of_host(NAME) is None
    assert "did not answer" in claim_of(tenant).problem


def test_a_file_on_the_present_web_server_proves_it_too(
    tenant: Any, names: NameServer, by: dict[str, Any], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = claiming.claim(NAME, **by)
    names.records[(NAME, "A")] = ["8.8.8.8"]
    asked: list[Any] = []

    def fetch(url: str, *, most: int, resolving: Any) -> outgoing.Answer:
        asked.append((url, resolving(NAME, 80)))
        return outgoing.Answer(200, f"{proving.txt_value(proof.token)}\n".encode())

    monkeypatch.setattr(outgoing, "fetch", fetch)
    look(tenant, now)
    assert asked == [(f"http://{NAME}/.well-known/proecommerce.txt", ["8.8.8.8"])]
    assert (tenant_of_host(NAME), claim_of(tenant).method) == (tenant, "http")


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.5"])
def test_no_proof_is_fetched_from_inside(
    tenant: Any, names: NameServer, by: dict[str, Any], now: datetime, address: str
) -> None:
    claiming.claim(NAME, **by)
    names.records[(NAME, "A")] = [address]
    look(tenant, now)
    assert tenant_of_host(NAME) is None


def test_the_primary_host_is_where_links_lead(
    tenant: Any, names: NameServer, by: dict[str, Any], now: datetime
) -> None:
    show_proof(names, claiming.claim(NAME, **by))
    look(tenant, now)
    given, own = claiming.hosts_of(tenant)
    assert (given.is_primary, own.hostname) == (True, NAME)
    claiming.make_primary(own.pk, **by)
    claiming.make_primary(own.pk, **by)
    assert NAME in site_url(tenant)
    with pytest.raises(HostRefused, match="another one the primary"):
        claiming.remove(own.pk, **by)
    with pytest.raises(HostRefused, match="always stays yours"):
        claiming.remove(given.pk, **by)
    claiming.make_primary(given.pk, **by)
    claiming.remove(own.pk, **by)
    assert tenant_of_host(NAME) is None
    assert told() == [
        "host.claimed", "host.proven", "host.made_primary", "host.made_primary", "host.removed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "localhost", "acme", "alpha.localhost", "x.alpha.localhost", "pay.localhost",
        "127.0.0.1", "[::1]", "2130706433", "a.1", "printer.local", "db.internal", "x.onion",
        "1.0.0.127.in-addr.arpa", "https://lind.example", "lind.example/x", "lind.example:80",
        "user@lind.example", "*.lind.example", "_dmarc.lind.example", "-a.example", "a-.example",
        "a..example", f"{'a' * 64}.example", f"{'a.' * 130}example", "a b.example", "a\x00.example",
        "a\n.example", "<b>.example", "lind.example'--",
    ],
)  # fmt: skip
def test_what_cannot_be_a_tenants_own_name_is_refused(tenant: Any, by: dict[str, Any], name: str) -> None:
    with pytest.raises(HostRefused):
        claiming.claim(name, **by)
    assert claiming.claims_of(tenant) == []


def test_names_are_written_as_the_dns_knows_them() -> None:
    assert hostname_of("Büro.Lind.example") == "xn--bro-hoa.lind.example"
    assert hostname_of("ｌind.example") == "lind.example"


def test_a_name_is_claimed_once_and_no_more_than_twenty_wait(tenant: Any, by: dict[str, Any]) -> None:
    claiming.claim(NAME, **by)
    with pytest.raises(HostRefused, match="on your list already"):
        claiming.claim(NAME, **by)
    for n in range(claiming.MOST_CLAIMS - 1):
        claiming.claim(f"h{n}.lind.example", **by)
    with pytest.raises(HostRefused, match="Take one of them out"):
        claiming.claim("one-too-many.lind.example", **by)


@pytest.mark.parametrize(
    ("domain", "more", "status"),
    [
        ("alpha.localhost", {}, 200),
        ("ALPHA.localhost", {}, 200),
        ("unknown.example", {}, 404),
        (NAME, {}, 404),  # claimed, not proven
        ("", {}, 404),
        ("alpha.localhost", {"REMOTE_ADDR": "203.0.113.9"}, 404),
        ("alpha.localhost", {"REMOTE_ADDR": "10.0.0.3"}, 404),
        ("alpha.localhost", {"REMOTE_ADDR": "::ffff:127.0.0.1"}, 200),
    ],
)
def test_certificates_are_for_hosts_that_stand_and_asked_for_on_the_machine_only(
    tenant: Any, by: dict[str, Any], domain: str, more: dict[str, Any], status: int
) -> None:
    claiming.claim(NAME, **by)
    answer = Client(HTTP_HOST="localhost", **more).get("/internal/certificate/", {"domain": domain})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("127.0.0.1", 200),
        ("203.0.113.9", 404),
        ("127.0.0.1, 203.0.113.9", 404),
        ("203.0.113.9, 127.0.0.1", 200),
    ],
)
def test_behind_a_proxy_it_is_the_proxy_that_says_who_asks(
    tenant: Any, settings: Any, forwarded: str, status: int
) -> None:
    settings.TRUSTED_PROXIES = 1
    client = Client(HTTP_HOST="localhost", REMOTE_ADDR="172.18.0.5", HTTP_X_FORWARDED_FOR=forwarded)
    assert client.get("/internal/certificate/?domain=alpha.localhost").status_code == status
