"""Signing up: what a slug may be, what a new tenant has, and what happens when two want the same name."""

import threading
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from accounts.onboarding import sign_up
from audit.actors import Actor
from audit.models import AuditEvent
from audit.verifying import verify
from tenants import provisioning
from tenants.context import enter, enter_public
from tenants.errors import SlugRefused, SlugTaken
from tenants.models import Host, Tenant
from tenants.provisioning import RESERVED, NewTenant, check_slug, create_tenant
from tests.tenants.looking import place, where

ACTOR = Actor.system("tests")
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def new(slug: str, **more: Any) -> NewTenant:
    choices = {"name": "New", "country": "DE", "currency": "EUR", "time_zone": "Europe/Berlin"} | more
    return NewTenant(slug=slug, **choices)


def unique(prefix: str = "n") -> str:
    return f"{prefix}{uuid4().hex[:10]}"


def test_signing_up_takes_less_than_two_seconds(committed: None) -> None:
    slug = unique()
    began = time.perf_counter()
    done = sign_up(
        new(slug),
        owner="owner@example.org",
        name="Olga",
        password="correct horse battery",
        actor=ACTOR,
        now=NOW,
    )
    assert time.perf_counter() - began < 2
    assert done.tenant.schema_name == f"t_{slug}"
    assert f"//{slug}." in done.url
    with enter(done.tenant):
        assert where() == place(done.tenant)
        assert [(user.email, user.role) for user in User.objects.all()] == [("owner@example.org", "owner")]
        assert AuditEvent.objects.order_by("seq").first().action == "tenant.created"  # type: ignore[union-attr]
        assert verify().problem is None


def test_a_new_tenant_has_its_host_and_its_words(db: None) -> None:
    tenant = create_tenant(
        new("Fresh-Name ", name=" Fresh ", country="US", currency="USD"), actor=ACTOR, now=NOW
    )
    assert (tenant.slug, tenant.schema_name, tenant.name) == ("fresh-name", "t_fresh_name", "Fresh")
    with enter_public():
        hosts = Host.objects.filter(tenant=tenant)
        assert [(host.hostname.split(".")[0], host.is_primary) for host in hosts] == [("fresh-name", True)]


@pytest.mark.parametrize("slug", ["abc", "a1b", "a-b-c", "0ab", "a" * 40, "x9"[::-1] + "z"])
def test_a_good_slug_is_accepted(db: None, slug: str) -> None:
    assert check_slug(slug) == slug
    assert check_slug(f" {slug.upper()} ") == slug


@pytest.mark.parametrize(
    "slug",
    [
        "", "a", "ab", "a" * 41, "-abc", "abc-", "a--b", "xn--abc", "a_b", "a.b", "a b", "a/b", "ab\n",
        "ab\x00c", "äbc", "ａbc", "аbc", "a'b", 'a"b', "a;b", "../..", "%61bc", "abc\u200b", "ſtu",
    ],
)  # fmt: skip
def test_an_odd_slug_is_refused(db: None, slug: str) -> None:
    with pytest.raises(SlugRefused, match="Use 3 to 40 letters"):
        check_slug(slug)


@pytest.mark.parametrize("slug", sorted(word for word in RESERVED if len(word) > 2))
def test_a_reserved_slug_is_refused(db: None, slug: str) -> None:
    with pytest.raises(SlugRefused, match="reserved"):
        check_slug(slug.upper())


def test_short_reserved_words_are_refused_anyway(db: None) -> None:
    for word in RESERVED:
        with pytest.raises(SlugRefused):
            check_slug(word)


def test_a_taken_slug_is_refused(two_tenants: Any) -> None:
    with pytest.raises(SlugTaken, match="“alpha” is taken"):
        check_slug("Alpha")
    with pytest.raises(SlugTaken):
        create_tenant(new("alpha"), actor=ACTOR, now=NOW)


def test_no_two_slugs_share_a_schema(db: None) -> None:
    """`_` stands for `-` in a schema's name, and no slug has a `_`."""
    with pytest.raises(SlugRefused):
        check_slug("a_b_c")
    first = create_tenant(new("a-b-c"), actor=ACTOR, now=NOW)
    second = create_tenant(new("abc"), actor=ACTOR, now=NOW)
    assert (first.schema_name, second.schema_name) == ("t_a_b_c", "t_abc")
    with enter_public(), pytest.raises(IntegrityError), transaction.atomic():
        Tenant.objects.create(
            slug="other", schema_name="t_a_b_c", name="x", country="DE", currency="EUR", created_at=NOW
        )


def test_a_host_that_is_another_tenants_is_taken(two_tenants: Any) -> None:
    from django.conf import settings

    beta = two_tenants[1]
    with enter_public():
        Host.objects.create(
            hostname=f"wanted.{settings.SITE_HOST}", tenant=beta, schema_name=beta.schema_name, created_at=NOW
        )
    with pytest.raises(SlugTaken), transaction.atomic():
        create_tenant(new("wanted"), actor=ACTOR, now=NOW)


def test_two_sign_ups_of_one_slug_make_one_tenant(committed: None) -> None:
    slug, start = unique(), threading.Barrier(4)
    found: list[object] = []

    def run() -> None:
        start.wait(10)
        try:
            found.append(create_tenant(new(slug), actor=ACTOR, now=NOW))
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(type(each).__name__ for each in found) == ["SlugTaken", "SlugTaken", "SlugTaken", "Tenant"]
    with enter_public():
        assert Tenant.objects.filter(slug=slug).count() == 1
        assert Host.objects.filter(schema_name=f"t_{slug}").count() == 1


def test_a_failure_on_the_way_leaves_nothing(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    slug = unique()

    def fail(tenant: Tenant, now: datetime) -> None:
        assert where() == place(tenant)
        raise RuntimeError("the last step fails")

    monkeypatch.setattr(provisioning, "_preparers", [*provisioning._preparers, fail])
    with pytest.raises(RuntimeError, match="last step"):
        create_tenant(new(slug), actor=ACTOR, now=NOW)
    with enter_public(), connection.cursor() as cursor:
        assert not Tenant.objects.filter(slug=slug).exists()
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = %s", [f"t_{slug}"])
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT to_regnamespace(%s)", [f"t_{slug}"])
        assert cursor.fetchone() == (None,)
    monkeypatch.undo()
    assert create_tenant(new(slug), actor=ACTOR, now=NOW).slug == slug


def test_a_mistake_in_the_preparation_is_not_called_a_taken_slug(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(tenant: Tenant, now: datetime) -> None:
        User.objects.create(email="a@example.org", name="a", role="owner", created_at=now)
        User.objects.create(email="A@example.org", name="a", role="owner", created_at=now)

    monkeypatch.setattr(provisioning, "_preparers", [fail])
    with pytest.raises(IntegrityError, match="user_email_once"):
        create_tenant(new(unique()), actor=ACTOR, now=NOW)
