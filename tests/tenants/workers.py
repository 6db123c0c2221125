"""A broker of the test's own (the real Valkey) and real Celery processes at it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import redis
from celery import current_app
from kombu import pools

from sandbox.stack.parts import _valkey_binary
from tests.conftest import ROOT


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], *, seconds: float, what: Callable[[], str]) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s: {what()}")
        time.sleep(0.05)


class Broker:
    """Valkey as in production: append-only file, no eviction."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            str(_valkey_binary()),
            "--bind",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--appendonly",
            "yes",
        ]
        command += ["--dir", str(self.folder), "--maxmemory-policy", "noeviction", "--save", ""]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self.answers, seconds=10, what=lambda: "the broker answers")

    def answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.ConnectionError:
            return False

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """Start a broker and let this process publish to it."""
    found = Broker(folder)
    found.start()
    app = cast(Any, current_app)._get_current_object()
    before = app.conf.broker_url
    _publish_to(app, found.url)
    try:
        yield found
    finally:
        _publish_to(app, before)
        found.stop()


def _publish_to(app: Any, url: str) -> None:
    app.conf.broker_url = app.conf.broker_write_url = app.conf.broker_read_url = url
    app.pool.force_close_all()
    app._pool = None
    app.amqp._producer_pool = None
    cast(Any, pools).reset()


class Celery:
    """`celery worker` or `celery beat` as a process group of its own, which may be killed."""

    def __init__(self, found: Broker, log: Path, *arguments: str, **settings: str) -> None:
        self.log = log
        self.file = log.open("ab")
        command = [sys.executable, "-m", "celery", "-A", "proecommerce", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ
            | {"BROKER_URL": found.url, "JOB_TICK_SECONDS": "1", "JOB_REPUBLISH_SECONDS": "2"}
            | settings,
            stdout=self.file,
            stderr=self.file,
            start_new_session=True,
        )

    def ready(self, sign: str = " ready.") -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text())
        return sign in self.log.read_text()

    def kill(self) -> None:
        """SIGKILL to the worker and all of its children."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.file.close()


@contextmanager
def celery(found: Broker, folder: Path, **settings: str) -> Iterator[Callable[[], Celery]]:
    """Run beat; yields what starts a worker of two processes that knows the counting jobs."""
    running: list[Celery] = []
    with ExitStack() as stack:
        schedule = ["--schedule", str(folder / "schedule"), "--pidfile", ""]
        beat = Celery(found, folder / "beat.log", "beat", *schedule, **settings)
        stack.callback(beat.kill)

        def start() -> Celery:
            log = folder / f"worker-{len(running)}.log"
            arguments = ["worker", "--concurrency", "2", "-I", "tests.tenants.counting"]
            arguments += [
                "--loglevel",
                "INFO",
                "--without-gossip",
                "--without-mingle",
                "-n",
                f"w{len(running)}@test",
            ]
            worker = Celery(found, log, *arguments, **settings)
            stack.callback(worker.kill)
            running.append(worker)
            wait_until(worker.ready, seconds=40, what=lambda: "the worker is ready")
            return worker

        yield start
