"""Whatever runs without having entered a tenant gets `NoTenant`: never somebody's data."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.handlers.asgi import ASGIHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, transaction
from django.test import Client, override_settings

from audit.actors import Actor
from audit.recording import Note, record_many
from tenants import clock
from tenants.context import current_schema, current_tenant, enter, enter_public, in_public, outside
from tenants.errors import NoTenant
from tenants.jobs import enqueue
from tenants.models import Tenant
from tests.conftest import ROOT
from tests.tenants.looking import PLATFORM, place, where

pytestmark = pytest.mark.usefixtures("db")


def in_thread(work: Callable[[], Any]) -> Any:
    """Run `work` in a thread of its own, as granian's and Celery's are; return its value or its error."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    return found[0]


def count_tenants() -> int:
    return Tenant.objects.count()


def test_a_new_thread_is_in_no_tenant(two_tenants: Any) -> None:
    with enter(two_tenants[0]):
        assert isinstance(in_thread(count_tenants), NoTenant)
        assert isinstance(in_thread(where), NoTenant)
        assert where() == place(two_tenants[0])


def test_a_thread_may_enter_and_leaves_nobody_else_inside(two_tenants: Any) -> None:
    alpha, beta = two_tenants

    def work() -> Any:
        with enter(beta):
            return where()

    with enter(alpha):
        assert in_thread(work) == place(beta)
        assert where() == place(alpha)


def test_a_task_body_is_in_no_tenant() -> None:
    @current_app.task(name="tests.forgetful")  # type: ignore[untyped-decorator]
    def forgetful() -> int:
        return count_tenants()

    result = in_thread(lambda: forgetful.apply().result)
    assert isinstance(result, NoTenant)


FORGETFUL = "from tenants.models import Job; print(Job.objects.count())"


class Forgetful(BaseCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(str(count_tenants()))


def test_a_command_is_in_no_tenant() -> None:
    with pytest.raises(NoTenant, match="Enter one first"):
        call_command(Forgetful())


def test_a_command_of_its_own_process_is_in_no_tenant() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "-v0",
            "-c",
            "from tenants.models import Job; print(Job.objects.count())",
        ],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "tenants.errors.NoTenant" in done.stderr
    assert done.stdout.strip() == ""


def test_asynchronous_code_is_in_no_tenant(two_tenants: Any) -> None:
    async def work() -> int:
        return await sync_to_async(count_tenants)()

    with enter(two_tenants[0]):
        assert isinstance(in_thread(lambda: asyncio.run(work())), NoTenant)


@pytest.fixture
def client_of_alpha(two_tenants: Any) -> Iterator[Client]:
    with override_settings(ROOT_URLCONF="tests.tenants.urls"):
        yield Client(HTTP_HOST=f"alpha.{settings.SITE_HOST}", raise_request_exception=True)


def test_a_request_runs_in_the_tenant_of_its_host_and_leaves_it(
    client_of_alpha: Client, two_tenants: Any
) -> None:
    assert client_of_alpha.get("/").json() == list(place(two_tenants[0]))
    with pytest.raises(NoTenant):
        where()


def test_a_request_that_breaks_leaves_the_tenant(client_of_alpha: Client) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        client_of_alpha.get("/broken")
    with pytest.raises(NoTenant):
        where()


def test_a_body_that_is_read_after_the_request_is_in_no_tenant(client_of_alpha: Client) -> None:
    answer = client_of_alpha.get("/streamed")
    with pytest.raises(NoTenant):
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_an_asynchronous_view_finds_the_tenant_of_its_request(
    client_of_alpha: Client, two_tenants: Any
) -> None:
    assert client_of_alpha.get("/asynchronous").json() == list(place(two_tenants[0]))


def test_an_asynchronous_view_in_another_thread_is_in_no_tenant(client_of_alpha: Client) -> None:
    with pytest.raises(NoTenant):
        client_of_alpha.get("/in-another-thread")


def test_under_asgi_a_view_finds_its_tenant_and_leaves_it(client_of_alpha: Client, two_tenants: Any) -> None:
    assert async_to_sync(ask_by_asgi)(client_of_alpha.defaults["HTTP_HOST"]) == list(place(two_tenants[0]))
    with pytest.raises(NoTenant):
        where()


async def ask_by_asgi(host: str) -> Any:
    scope = {
        "type": "http", "method": "GET", "path": "/asynchronous", "query_string": b"",
        "headers": [(b"host", host.encode())],
    }  # fmt: skip
    browser: Any = cast(Any, ApplicationCommunicator)(ASGIHandler(), scope)
    await browser.send_input({"type": "http.request", "body": b""})
    assert (await browser.receive_output(10))["status"] == 200
    return json.loads((await browser.receive_output(10))["body"])


def test_what_waits_for_the_commit_runs_where_it_was_asked_for(
    two_tenants: Any, django_capture_on_commit_callbacks: Any
) -> None:
    alpha, beta = two_tenants
    seen: list[Any] = []

    def look() -> None:
        try:
            seen.append(where())
        except NoTenant as error:
            seen.append(type(error))

    with django_capture_on_commit_callbacks(execute=True):
        with enter(alpha):
            transaction.on_commit(look)
            with enter(beta):
                transaction.on_commit(look)
        with enter_public():
            transaction.on_commit(look)
        transaction.on_commit(look)
    assert seen == [place(alpha), place(beta), PLATFORM, NoTenant]


def test_what_is_no_callback_is_refused_at_once() -> None:
    with enter_public(), pytest.raises(TypeError, match="callable"):
        transaction.on_commit("nothing")  # type: ignore[arg-type]


def test_cache_keys_carry_the_schema(two_tenants: Any) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        cache.set("colour", "red")
    with enter(beta):
        assert cache.get("colour") is None
        cache.set("colour", "blue")
    with enter_public():
        assert cache.get("colour") is None
    with enter(alpha):
        assert cache.get("colour") == "red"
        assert cache.get_or_set("colour", "green") == "red"
        assert cache.make_key("colour") == f"t_alpha:{cache.key_prefix}:1:colour"
        cache.delete("colour")
    with enter(beta):
        assert cache.get("colour") == "blue"
        cache.delete("colour")


@pytest.mark.parametrize(
    "use",
    [
        lambda: cache.get("colour"),
        lambda: cache.set("colour", 1),
        current_schema,
        current_tenant,
        in_public,
        lambda: enqueue("accounts.mail_reset", user_id="1"),
        lambda: record_many([Note("x", "y", "z")], actor=Actor.system("tests"), now=clock.now()),  # type: ignore[arg-type]
    ],
)
def test_outside_nothing_works(use: Callable[[], Any]) -> None:
    with pytest.raises(NoTenant):
        use()


def test_the_platform_is_no_tenant() -> None:
    with enter_public(), pytest.raises(NoTenant):
        current_tenant()


def test_one_can_step_outside_and_comes_back(two_tenants: Any) -> None:
    with enter(two_tenants[0]):
        with outside(), pytest.raises(NoTenant):
            where()
        assert where() == place(two_tenants[0])
