"""From the Host header to the tenant: the right one, or 400 or 404; never another's page."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from tenants.context import enter_public
from tenants.directory import open_tenants, site_url, tenant_of_host, tenant_of_schema, tenant_of_slug
from tenants.models import Host, Tenant
from tests.tenants.looking import PLATFORM, place

pytestmark = pytest.mark.usefixtures("db")
PAGES = "tests.tenants.urls"


@pytest.fixture(autouse=True)
def own_pages() -> Any:
    with override_settings(ROOT_URLCONF=PAGES, PUBLIC_URLCONF=PAGES, PAY_URLCONF=PAGES):
        yield


def ask(host: str, **more: str) -> Any:
    return Client(raise_request_exception=False).get("/", HTTP_HOST=host, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host", ["alpha.{}", "ALPHA.{}", "Alpha.{}:8000", "alpha.{}:80", "alpha.{}.", "alpha.{}.:8000"]
)
def test_a_tenants_host_leads_to_it_however_it_is_written(two_tenants: Any, host: str) -> None:
    assert ask(host.format(settings.SITE_HOST)).json() == list(place(two_tenants[0]))


def test_the_other_tenants_host_leads_to_the_other(two_tenants: Any) -> None:
    assert ask(f"beta.{settings.SITE_HOST}").json() == list(place(two_tenants[1]))


@pytest.mark.parametrize("host", [settings.SITE_HOST, settings.PAY_HOST])
def test_our_own_hosts_are_the_platform(host: str) -> None:
    assert ask(host).json() == list(PLATFORM)


SITE = settings.SITE_HOST
HOSTILE = [
    "", " ", ".", "..", ":", ":80", "alpha", "beta", "www." + SITE, f"www.alpha.{SITE}", f"alpha.beta.{SITE}",
    f"alpha.{SITE}..", f".alpha.{SITE}", f"alpha..{SITE}", f"alpha.{SITE}.evil.example",
    f"evil.example.{SITE}",
    f"alpha.{SITE}@evil.example", f"evil.example#alpha.{SITE}", f"alpha.{SITE}/", f"alpha.{SITE}/beta",
    f"alpha.{SITE}, beta.{SITE}", f"alpha.{SITE} beta.{SITE}", f"alpha.{SITE}:port", f"alpha.{SITE}:80:80",
    f"alpha.{SITE}\x00", f"alpha\x00.{SITE}", f"alpha.{SITE}\r\nX: y", f"alpha%2e{SITE}", f"alpha_.{SITE}",
    f"аlpha.{SITE}", f"xn--lpha-43d.{SITE}", f"ａlpha.{SITE}", f"http://alpha.{SITE}", f"//alpha.{SITE}",
    "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000", "0", "0x7f000001", "2130706433", "*", f"*.{SITE}",
    "t_alpha", "public", "tenant_template", f"public.{SITE}", f"template.{SITE}", f"' OR 1=1 --.{SITE}",
    f"{'a' * 64}.{SITE}",
    f"{'a.' * 126}{SITE}", "a" * 5000, f"admin.{SITE}", f"pay.pay.{SITE}",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_host_leads_nowhere(host: str) -> None:
    answer = ask(host)
    assert answer.status_code in {400, 404}
    text = answer.content.decode()
    assert "t_alpha" not in text
    assert "t_beta" not in text
    assert "proe_public" not in text


@pytest.mark.parametrize(
    "header",
    ["HTTP_X_FORWARDED_HOST", "HTTP_X_HOST", "HTTP_FORWARDED", "HTTP_X_ORIGINAL_HOST", "SERVER_NAME"],
)
def test_no_other_header_names_the_tenant(two_tenants: Any, header: str) -> None:
    beta = f"beta.{settings.SITE_HOST}"
    value = f"host={beta}" if header == "HTTP_FORWARDED" else beta
    answer = ask(f"alpha.{settings.SITE_HOST}", **{header: value})
    assert answer.json() == list(place(two_tenants[0]))


def test_a_host_of_the_tenants_own_leads_to_it(two_tenants: Any, now: Any) -> None:
    beta = two_tenants[1]
    with enter_public():
        Host.objects.create(
            hostname="billing.beta.example", tenant=beta, schema_name=beta.schema_name, created_at=now
        )
    assert ask("Billing.Beta.example").json() == list(place(beta))
    assert site_url(beta) == settings.SITE_URL.replace(SITE, f"beta.{SITE}")


def test_tenants_are_found_by_host_slug_and_schema(two_tenants: Any) -> None:
    alpha, beta = two_tenants
    assert tenant_of_slug("alpha") == tenant_of_schema("t_alpha") == tenant_of_host(f"ALPHA.{SITE}") == alpha
    assert tenant_of_host("") is None
    assert tenant_of_host("x" * 254) is None
    with pytest.raises(Tenant.DoesNotExist):
        tenant_of_slug("nobody")
    with pytest.raises(Tenant.DoesNotExist):
        tenant_of_schema("public")
    with enter_public():
        Tenant.objects.filter(pk=beta.pk).update(status=Tenant.Status.SUSPENDED)
    open_ones = {tenant.slug for tenant in open_tenants()}
    assert "alpha" in open_ones
    assert "beta" not in open_ones
