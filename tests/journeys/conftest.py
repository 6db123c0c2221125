"""A whole site for the browser: web, worker and beat of its own, on a database of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import redis
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from playwright.sync_api import Request as Asked

from tests.browsing import PATIENCE_MS, chromium
from tests.conftest import ROOT, TEMPLATE, _admin, _make_template, _with_database


@dataclass
class Site:
    """A running site: its addresses and its environment, for commands."""

    env: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.env["SITE_URL"]

    def tenant(self, slug: str) -> str:
        return self.url.replace("://", f"://{slug}.", 1)

    def manage(self, *arguments: str) -> str:
        """Run a management command inside the site's environment and return what it printed."""
        return self._run("manage.py", *arguments)

    def python(self, module: str, *arguments: str) -> str:
        """Run a module inside the site's environment and return what it printed."""
        return self._run("-m", module, *arguments)

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the site's database as its superuser; for what a test must see or set from outside."""
        import psycopg

        url = _with_database(os.environ["DATABASE_ADMIN_URL"], urlsplit(self.env["DATABASE_URL"]).path[1:])
        with psycopg.connect(url, autocommit=True) as admin:
            cursor = admin.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, started once for all journeys of this worker."""
    name = f"proe_journeys_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    _make_template()
    with _admin() as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}_done OWNER proe_owner")
        admin.execute(f"GRANT CONNECT ON DATABASE {name} TO proe_app")
    port = _free_port()
    running = Site(
        os.environ
        | {
            "DATABASE_URL": _with_database(os.environ["DATABASE_URL"], name),
            "DATABASE_OWNER_URL": _with_database(os.environ["DATABASE_OWNER_URL"], name),
            "BROKER_URL": os.environ["BROKER_URL"].rsplit("/", 1)[0] + "/7",
            "SITE_URL": f"http://localhost:{port}",
            "PAY_URL": f"http://pay.localhost:{port}",
            "JOB_TICK_SECONDS": "1",
        }
    )
    # The two tenants of the template were made for a site without a port: they live on the same host names.
    logs = tmp_path_factory.mktemp("site")
    running.manage("collectstatic", "--noinput", "-v0")
    granian = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    _start(
        running,
        logs / "web",
        ["granian", *granian, "--blocking-threads", "4", "proecommerce.wsgi:application"],
    )
    _start(running, logs / "worker", ["celery", "-A", "proecommerce", "worker", "-c", "1", "-l", "WARNING"])
    beat = ["celery", "-A", "proecommerce", "beat", "-l", "WARNING", "-s", str(logs / "schedule")]
    _start(running, logs / "beat", beat)
    try:
        _wait(lambda: _healthy(running, port), logs / "web")
        yield running
    finally:
        for process in reversed(running.processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in running.processes:
            process.wait(20)


@pytest.fixture(autouse=True)
def _limits_anew() -> None:
    """All journeys come from one address: what one has used up of a limit is not the next one's loss."""
    cache: Any = redis.Redis.from_url(os.environ["CACHE_URL"])
    for key in cache.scan_iter(match="throttle::*", count=1000):
        cache.delete(key)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know that their test failed, so that they can show what the browser saw."""
    report = yield
    if report.failed:
        setattr(item, "failed", True)  # noqa: B010 - pytest's items take what plugins put there
        for part, log in LOGS.items():
            told = log.read_text(encoding="utf-8", errors="replace")[-4000:] if log.exists() else "nothing"
            report.sections.append((f"the site's {part}", told))
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Open for one module at a time: while it is, Django takes the thread for an asynchronous one."""
    with chromium() as launched:
        yield launched


@dataclass
class Watch:
    """What the browser did behind the pages: requests by origin, complaints of its console."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def on(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _request(self, request: Asked) -> None:
        with suppress(Exception):  # a request of a page that is gone already has no frame
            if request.is_navigation_request() and request.frame.parent_frame is None:
                return  # where the person went, not what a page asked for
            self.requests.append(f"{_origin(request.frame.url)} -> {_origin(request.url)}")

    def _console(self, message: ConsoleMessage) -> None:
        # What has no address is said by the tests' own scripts: axe adds imported styles to read them.
        if message.type in {"error", "warning"} and message.location["url"]:
            self.complaints.append(message.text)


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[Page, Watch]]:
    """A page in a fresh browser profile, and what it does behind the scenes."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    watch = Watch()
    watch.on(context)
    page = context.new_page()
    yield page, watch
    if getattr(request.node, "failed", False):
        folder = Path(os.environ["DEMO_DIR"]) / "failures"
        folder.mkdir(exist_ok=True)
        for number, opened in enumerate(context.pages):
            opened.screenshot(path=folder / f"{request.node.name}-{number}.png", full_page=True)
            print(f"{opened.url}: {folder}")
        print(*watch.complaints, sep="\n")
    context.close()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


# What the site's processes say: shown where a journey fails.
LOGS: dict[str, Path] = {}


def _start(running: Site, log: Path, command: list[str]) -> None:
    LOGS[log.name] = log
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT, env=running.env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    running.processes.append(process)


def _healthy(running: Site, port: int) -> bool:
    with suppress(httpx.HTTPError):
        answer = httpx.get(
            f"http://127.0.0.1:{port}/healthz", headers={"Host": f"localhost:{port}"}, trust_env=False
        )
        return answer.status_code == 200
    return False


def _wait(ready: Callable[[], bool], log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
