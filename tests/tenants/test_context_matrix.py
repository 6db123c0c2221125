"""The contexts in which code runs: each is in the tenant that it should be in, or gets `NoTenant`."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.mail.backends.locmem import EmailBackend
from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client, override_settings

from accounts.models import User
from accounts.people import create_user
from tenants import jobs, working
from tenants.context import enter, enter_public, outside
from tenants.errors import NoTenant
from tenants.jobs import Asked, enqueue_many, job, planner
from tenants.mail import send
from tenants.message import RenderedMail
from tenants.models import Job
from tests import logging_in
from tests.tenants import urls
from tests.tenants.looking import PLATFORM, place, where

seen: list[Any] = []


def look(*args: Any, **kwargs: Any) -> Any:
    """Note where the server is now, or that this is nowhere."""
    try:
        seen.append(where())
    except NoTenant:
        seen.append(NoTenant)


class LookingBackend(EmailBackend):
    """Notes where it was when a mail left."""

    def send_messages(self, messages: Any) -> int:
        look()
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_handlers", {})
    monkeypatch.setattr(jobs, "_planners", [])
    monkeypatch.setattr(jobs, "publish", lambda ids: None)
    monkeypatch.setattr(working, "publish", lambda ids: None)


@pytest.fixture
def asked(fresh_tenant: Any, registry: None) -> Iterator[Callable[..., None]]:
    """Ask for a job in the tenant and work it off from outside, as a worker does."""

    def work(*, now: datetime, **args: Any) -> None:
        with transaction.atomic():
            enqueue_many([Asked("tests.look", args)])
        row = Job.objects.get(name="tests.look")
        with outside():
            working.work_off([row.pk], now=now)
            look()

    yield work
    with enter_public():
        Job.objects.filter(schema_name=fresh_tenant.schema_name).delete()


# Requests.


def ask(path: str, host: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask for a page whose error pages look where they are."""

    def error_page(request: Any, *args: Any, **kwargs: Any) -> Any:
        look()
        return HttpResponse("error", status=500)

    for name in ("handler400", "handler403", "handler404", "handler500"):
        monkeypatch.setattr(urls, name, error_page, raising=False)
    with override_settings(ROOT_URLCONF="tests.tenants.urls", PUBLIC_URLCONF="tests.tenants.urls"):
        return Client(HTTP_HOST=host, raise_request_exception=False).get(path)


@pytest.mark.parametrize("path", ["/broken", "/nowhere"])
def test_a_tenants_error_page_is_in_the_tenant(
    two_tenants: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(path, f"alpha.{settings.SITE_HOST}", monkeypatch).content == b"error"
    look()
    assert seen == [place(two_tenants[0]), NoTenant]


def test_the_error_page_of_the_platform_is_in_the_platform(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("/broken", settings.SITE_HOST, monkeypatch)
    look()
    assert seen == [PLATFORM, NoTenant]


def test_the_page_for_an_unknown_host_is_nowhere(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("/", f"nobody.{settings.SITE_HOST}", monkeypatch)
    assert seen == [NoTenant]


def test_a_session_of_one_tenant_is_none_in_another(two_tenants: Any, actor: Any, now: Any) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        user = create_user(email="a@b.example", name="A", role="owner", password=None, actor=actor, now=now)
        client = Client(HTTP_HOST=f"alpha.{settings.SITE_HOST}")
        logging_in.enter(client, user)
    assert client.get("/manage/").status_code == 200
    for host in (f"beta.{settings.SITE_HOST}", settings.SITE_HOST):
        answer = client.get("/manage/", headers={"host": host})
        assert answer.status_code in {302, 404}, host
    with enter(beta):  # the very same person there would still not be logged in
        User.objects.bulk_create(
            [User(**{f.attname: getattr(user, f.attname) for f in User._meta.concrete_fields})]
        )
    assert client.get("/manage/", headers={"host": f"beta.{settings.SITE_HOST}"}).status_code == 302


# Jobs and beat.


def test_a_job_its_commit_and_its_worker(
    fresh_tenant: Any, asked: Callable[..., None], now: datetime
) -> None:
    @job("tests.look")
    def handler() -> None:
        look()
        transaction.on_commit(look)

    asked(now=now.replace(year=2027))
    assert seen == [place(fresh_tenant), place(fresh_tenant), NoTenant]


def test_a_job_that_wanders_fails_and_is_tried_again(
    fresh_tenant: Any, asked: Callable[..., None], two_tenants: Any, now: datetime
) -> None:
    """The failure is noted in the platform's table, the next attempt is in the row's tenant again."""
    later = now.replace(year=2027)

    @job("tests.look")
    def handler() -> None:
        look()
        with enter(two_tenants[1]):
            look()
            if len(seen) < 4:
                raise RuntimeError("lost")

    asked(now=later)
    row = Job.objects.get(name="tests.look")
    assert (row.state, row.attempts) == ("waiting", 1)
    with outside():
        working.work_off([row.pk], now=later.replace(year=2028))
        look()
    there = [place(fresh_tenant), place(two_tenants[1])]
    assert seen == [*there, NoTenant, *there, NoTenant]


def test_a_job_outside_holds_its_tenant_over_several_transactions(
    fresh_tenant: Any, asked: Callable[..., None], now: datetime
) -> None:
    @job("tests.look", outside=True)
    def handler() -> None:
        for _ in range(2):
            with transaction.atomic():
                look()
        look()

    asked(now=now.replace(year=2027))
    assert seen == [place(fresh_tenant)] * 3 + [NoTenant]


def test_a_tick_plans_in_the_platform(committed: None, registry: None, now: datetime) -> None:
    planner(look)
    working.tick(now=now)
    look()
    assert seen == [PLATFORM, NoTenant]


# Admin, mail, files.


def test_an_admin_action_is_in_the_platform(
    db: None, actor: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with enter_public():
        user = create_user(
            email="staff@proe.example", name="S", role="platform", password=None, actor=actor, now=now
        )
        client = Client(HTTP_HOST=settings.SITE_HOST)
        logging_in.enter(client, user, methods={"password", "totp"})
        row = Job.objects.create(schema_name="t_alpha", name="tests.canary")
    (model_admin,) = [each for model, each in admin.site._registry.items() if model is Job]

    def action(modeladmin: Any, request: Any, queryset: Any) -> None:
        look()
        seen.append(queryset.count())

    monkeypatch.setattr(model_admin, "actions", [action])
    client.post("/admin/tenants/job/", {"action": "action", "_selected_action": [str(row.pk)]})
    look()
    assert seen == [PLATFORM, 1, NoTenant]


def test_a_mail_leaves_in_its_tenant(two_tenants: Any) -> None:
    mail = RenderedMail(subject="s", text="t", html="")
    with override_settings(EMAIL_BACKEND="tests.tenants.test_context_matrix.LookingBackend"):
        with enter(two_tenants[0]):
            send(mail, to="a@b.example")
            with enter(two_tenants[1]):
                send(mail, to="a@b.example")
        with pytest.raises(NoTenant):
            send(mail, to="a@b.example")
    assert seen == [place(two_tenants[0]), place(two_tenants[1])]


def test_no_file_lies_outside_the_tables() -> None:
    """A storage knows no tenant: files are rows, until there is one that does."""
    files = [
        field
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.FileField)
    ]
    assert files == []
