"""Sign-up on the public host: a tenant with its host and owner, or a clear word about what is wrong."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from billing.models import BillingSettings
from tenants.context import enter
from tenants.directory import tenant_of_host, tenant_of_slug
from tenants.models import Tenant
from tests.humans import stamped

GOOD = {
    "business": "Nordlicht Hosting", "slug": "nordlicht", "name": "Nora Lind",
    "email": "nora@nordlicht.example", "password": "four words of a garden",
    "country": "DE", "time_zone": "Europe/Berlin", "currency": "EUR",
}  # fmt: skip


def good() -> dict[str, str]:
    """A whole form, as a browser without scripts sends it."""
    return GOOD | stamped("sign-up", work=False)


@pytest.fixture
def visitor(db: None) -> Client:
    return Client(HTTP_HOST=settings.SITE_HOST)


def there_is(slug: str) -> bool:
    try:
        tenant_of_slug(slug)
    except Tenant.DoesNotExist:
        return False
    return True


def test_it_makes_a_tenant_with_host_and_owner(visitor: Client) -> None:
    answer = visitor.post("/sign-up/", good())
    assert answer.status_code == 302
    assert answer["Location"].startswith(settings.SITE_URL.replace("://", "://nordlicht.", 1))
    assert answer["Location"].endswith("/log-in/?next=/manage/")
    tenant = tenant_of_host("nordlicht.localhost")
    assert tenant is not None
    assert (tenant.name, tenant.country, tenant.currency, tenant.time_zone) == (
        "Nordlicht Hosting", "DE", "EUR", "Europe/Berlin",
    )  # fmt: skip
    with enter(tenant):
        owner = User.objects.get()
        assert (owner.email, owner.role, owner.name) == ("nora@nordlicht.example", "owner", "Nora Lind")
        assert BillingSettings.objects.get().business_name == "Nordlicht Hosting"


def test_the_owner_logs_in_on_the_new_host_only(visitor: Client) -> None:
    visitor.post("/sign-up/", good())
    asked = {"email": GOOD["email"], "password": GOOD["password"]}
    assert Client(HTTP_HOST="nordlicht.localhost").post("/log-in/", asked)["Location"] == "/manage/"
    assert Client(HTTP_HOST="alpha.localhost").post("/log-in/", asked).status_code == 422


def test_the_browser_may_follow_to_the_new_host(visitor: Client) -> None:
    policy = visitor.get("/sign-up/")["Content-Security-Policy"]
    form_action = next(each for each in policy.split(";") if "form-action" in each).split()
    assert form_action == ["form-action", "'self'", settings.SITE_URL.replace("://", "://*.", 1)]
    assert "*." not in visitor.get("/")["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("slug", "said"),
    [("alpha", "taken"), ("ALPHA", "taken"), ("www", ""), ("pay", ""), ("admin", ""), ("-x", ""), ("a b", ""),
     ("ünï", ""), ("xn--bcher-kva", ""), ("a.b", ""), ("a_b", ""), ("", ""), ("x" * 41, ""), ("x\x00", "")],
)  # fmt: skip
def test_a_slug_that_is_taken_reserved_or_no_host_is_refused(visitor: Client, slug: str, said: str) -> None:
    answer = visitor.post("/sign-up/", good() | {"slug": slug})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert 'href="#id_slug"' in html and said in html


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("business", ""), ("business", "x" * 201), ("name", ""), ("email", "nobody"), ("email", ""),
        ("password", "short"), ("password", "password" * 20), ("password", "nora@nordlicht.example"),
        ("country", "XX"), ("country", "D"), ("currency", "XXX"), ("currency", "BTC"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"), ("business", "a\x00b"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_nothing_is_made(visitor: Client, field: str, value: str) -> None:
    answer = visitor.post("/sign-up/", good() | {field: value})
    assert answer.status_code == 422
    html = answer.content.decode()
    assert f'href="#id_{field}"' in html and 'role="alert"' in html
    assert not there_is("nordlicht")


def test_what_was_typed_stays_but_the_password_does_not(visitor: Client) -> None:
    html = visitor.post("/sign-up/", good() | {"slug": "www"}).content.decode()
    assert 'value="Nordlicht Hosting"' in html
    assert '<option value="DE" selected>' in html
    assert GOOD["password"] not in html


def test_a_name_that_is_markup_is_text(visitor: Client) -> None:
    html = visitor.post("/sign-up/", good() | {"business": "<b>x</b>", "slug": "www"}).content.decode()
    assert "<b>x</b>" not in html


def test_two_at_once_get_one_tenant_and_one_clear_word(visitor: Client) -> None:
    assert visitor.post("/sign-up/", good()).status_code == 302
    answer = visitor.post("/sign-up/", good() | {"email": "eve@evil.example"})
    assert answer.status_code == 422
    with enter(tenant_of_slug("nordlicht")):
        assert User.objects.get().email == GOOD["email"]


def test_a_slug_lost_to_somebody_quicker_is_said_clearly(
    visitor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proecommerce.website import pages
    from tenants.errors import SlugTaken

    def lose(*args: Any, **kwargs: Any) -> None:
        raise SlugTaken("This address is taken.")

    monkeypatch.setattr(pages, "sign_up", lose)
    answer = visitor.post("/sign-up/", good())
    assert answer.status_code == 422
    assert "This address is taken." in answer.content.decode()


def test_no_sign_up_without_the_forms_token(db: None) -> None:
    client = Client(HTTP_HOST=settings.SITE_HOST, enforce_csrf_checks=True)
    assert client.post("/sign-up/", GOOD).status_code == 403
    assert not there_is("nordlicht")


def test_the_same_address_may_sign_up_twice(visitor: Client) -> None:
    assert visitor.post("/sign-up/", good()).status_code == 302
    assert visitor.post("/sign-up/", good() | {"slug": "nordlicht2"}).status_code == 302
