"""The rehearsal's own process killed (`kill -9`) again and again, at any moment: the same end state."""

import json
import os
import random
import signal
import subprocess
import threading
from datetime import date
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings
from imap_tools import MailBoxUnencrypted

from tests.conftest import ROOT
from tests.rehearsal.living import UNTIL, command
from tests.rehearsal.state import assert_sound, state_of

# Every fourth while it gets ready, the others while it lives.
KILLS = [5, pytest.param(13, marks=pytest.mark.long)]


def seeded() -> random.Random:
    """Chance that can be had again: the seed is printed, and REHEARSAL_SEED sets it."""
    seed = int(os.environ.get("REHEARSAL_SEED") or random.randrange(10**9))
    print(f"REHEARSAL_SEED={seed}")
    return random.Random(seed)


class Rehearsal:
    """One `manage.py rehearse` in a process of its own."""

    def __init__(self, tenant: Any, *, until: date, more: tuple[str, ...] = ()) -> None:
        self.first_word = threading.Event()
        self.lines: list[str] = []
        self.errors: list[str] = []
        self.process = subprocess.Popen(
            command(tenant, until=until, more=more),
            cwd=ROOT,
            env=os.environ | {"STRIPE_REHEARSAL_BASE": settings.STRIPE_REHEARSAL_BASE},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            self.first_word.set()
        self.first_word.set()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(self.process.stderr)

    def kill_after(self, seconds: float) -> bool:
        """Kill it that long from now; False when it was through before."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        return self.process.returncode == -signal.SIGKILL

    def finish(self, seconds: float) -> str:
        try:
            self.process.wait(seconds)
        finally:
            self.process.kill()
        for reader in self._readers:
            reader.join(10)
        assert self.process.returncode == 0, "".join(self.errors)
        return "".join(self.lines)


def kill_again_and_again(tenant: Any, *, until: date, kills: int, span: float, chance: random.Random) -> None:
    """Kill `kills` rehearsals: some while they get ready, most while they live through the days."""
    for number in range(kills):
        rehearsal = Rehearsal(tenant, until=until)
        if number % 4:
            rehearsal.first_word.wait(60)
        delay = chance.uniform(0.02, span) if number % 4 else chance.uniform(0.5, 3)
        assert rehearsal.kill_after(delay), f"kill {number}: it was through already\n{rehearsal.lines}"


def letters_to(domain: str) -> int:
    """How many mails the mail server took for customers there."""
    url = urlsplit(os.environ["MAIL_IMAP_URL"])
    assert url.hostname and url.port and url.username and url.password
    box = MailBoxUnencrypted(url.hostname, url.port)
    with box.login(unquote(url.username), url.password) as inbox:
        return sum(to.endswith(f"@{domain}") for letter in inbox.fetch(headers_only=True) for to in letter.to)


@pytest.mark.usefixtures("committed")
@pytest.mark.xdist_group("rehearsal")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kills", KILLS)
def test_killed_again_and_again_and_then_two_at_once_it_comes_to_the_same(
    undisturbed: Any, newcomer: Any, kills: int
) -> None:
    kill_again_and_again(newcomer, until=UNTIL, kills=kills, span=0.9, chance=seeded())
    last = [Rehearsal(newcomer, until=UNTIL, more=("--json",)) for _ in range(2)]
    for rehearsal in last:
        figures = json.loads(rehearsal.finish(120))
        assert figures["ledger_ok"]
        assert set(figures["ledger_sum"].values()) == {0}
    assert state_of(newcomer) == state_of(undisturbed)
    assert_sound(newcomer)
    assert letters_to("rehearsal.example") == 0
