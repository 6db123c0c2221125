"""What a step is made of: the decorator, the world that it works on, the ways to end it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
import psycopg

from sandbox.stack.place import ROOT


class Failed(Exception):
    """The product did not do what it should."""


class Skipped(Exception):
    """The step cannot be tried here."""


@dataclass
class World:
    """The running stack as a step sees it; `kept` carries what later steps need from earlier ones."""

    environment: dict[str, str]
    kept: dict[str, Any] = field(default_factory=dict)
    closing: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def from_environment(cls) -> "World":
        if "SITE_URL" not in os.environ:
            raise SystemExit("Run me in a stack: bin/demo --run python -m sandbox.stack.check")
        return cls(dict(os.environ))

    @property
    def site(self) -> str:
        return self.environment["SITE_URL"]

    @property
    def pay(self) -> str:
        return self.environment["PAY_URL"]

    def tenant(self, slug: str) -> str:
        return self.site.replace("://", f"://{slug}.", 1)

    @property
    def logins(self) -> list[dict[str, str]]:
        """What the seed wrote down: who, url, email, password."""
        file = Path(self.environment["DEMO_LOGINS"])
        if not file.exists():
            raise Failed("the seed wrote no log-ins")
        found: list[dict[str, str]] = json.loads(file.read_text())
        return found

    def client(self, base: str) -> httpx.Client:
        """A browser's worth of HTTP for one host, whose name need not be known to any resolver."""
        parts = urlsplit(base)
        client = httpx.Client(
            base_url=f"{parts.scheme}://127.0.0.1:{parts.port}",
            headers={"Host": parts.netloc},
            trust_env=False,
            timeout=10,
        )
        self.closing.append(client.close)
        return client

    def get(self, url: str, *, status: int = 200) -> httpx.Response:
        parts = urlsplit(url)
        answer = self.client(f"{parts.scheme}://{parts.netloc}").get(
            parts.path + (f"?{parts.query}" if parts.query else "") or "/"
        )
        if answer.status_code != status:
            fail(f"{url} answered {answer.status_code}, not {status}")
        return answer

    def manage(self, *arguments: str) -> str:
        """Run a management command and return what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            fail((done.stdout + done.stderr).strip().splitlines()[-1])
        return done.stdout

    def mail_to(self, address: str, seconds: float = 60) -> EmailMessage:
        """Wait for the last mail to the address."""
        folder = Path(self.environment["DEMO_DIR"]) / "mail"
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for file in sorted(folder.glob("*.eml"), reverse=True):
                mail = message_from_bytes(file.read_bytes(), policy=policy.default)
                if address in str(mail["To"]) and isinstance(mail, EmailMessage):
                    return mail
            time.sleep(0.3)
        return fail(f"no mail came to {address} within {seconds:.0f} s")

    def sql(self, statement: str, *values: Any) -> None:
        """Have the product's database changed by its owner, as no page can."""
        with psycopg.connect(self.environment["DATABASE_OWNER_URL"], autocommit=True) as owner:
            owner.execute(statement.encode(), values)

    def close(self) -> None:
        while self.closing:
            self.closing.pop()()


@dataclass(frozen=True)
class Step:
    """One line of the check."""

    title: str
    action: Callable[[World], None]
    after: tuple[str, ...] = ()


STEPS: list[Step] = []


def step(
    title: str, *, after: tuple[str, ...] = ()
) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    """Add a step. `after`: titles of the steps without whose success this one makes no sense."""

    def register(action: Callable[[World], None]) -> Callable[[World], None]:
        STEPS.append(Step(title, action, after))
        return action

    return register


def fail(reason: str) -> NoReturn:
    raise Failed(reason)


def skip(reason: str) -> NoReturn:
    raise Skipped(reason)
