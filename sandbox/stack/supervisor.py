"""One stack: starts the parts in order, prepares the data, watches, and stops everything."""

import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FrameType

from sandbox.stack import children, environment, parts, postgres, static
from sandbox.stack.children import Child, Guard
from sandbox.stack.parts import Part
from sandbox.stack.place import ROOT, Place
from sandbox.stack.ports import Ports
from sandbox.stack.screen import Screen

START_PATIENCE = 60.0
RESTARTS, RESTART_WINDOW = 3, 60.0
HEALTH_EVERY = 10.0


class StackFailed(Exception):
    """The stack cannot start or go on."""


class Interrupted(Exception):
    """Somebody asked us to stop."""


@dataclass(frozen=True)
class Options:
    """What is asked of one stack."""

    names: list[str]
    fast: bool = False
    migrate: bool = True
    static: bool = True
    seed: bool = True
    for_tests: bool = False


@dataclass
class Stack:
    """The running parts of one place."""

    place: Place
    ports: Ports
    options: Options
    screen: Screen
    environment: dict[str, str] = field(init=False)
    running: dict[str, tuple[Part, Child]] = field(default_factory=dict)
    interrupts: int = 0
    received: int = signal.SIGINT
    guard: Guard | None = None
    restarts: dict[str, deque[float]] = field(default_factory=dict)
    unwell: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.environment = environment.full(self.place, self.ports)

    # --- signals ---------------------------------------------------------------------------------
    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupted)

    def _interrupted(self, number: int, _frame: FrameType | None) -> None:
        self.interrupts += 1
        self.received = number

    def pause(self, seconds: float) -> None:
        """Sleep, unless somebody asks us to stop."""
        until = time.monotonic() + seconds
        while not self.interrupts and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        if self.interrupts:
            raise Interrupted

    # --- start -----------------------------------------------------------------------------------
    def start(self) -> None:
        names = self.options.names
        wanted = parts.make(names, self.place, self.ports, fast=self.options.fast)
        self.ports.refuse_taken(parts.port_names(wanted), parts.TITLES)
        self.guard = Guard(self.place)
        if "pg" in names:
            if not (self.place.postgres / "data" / "PG_VERSION").exists():
                self.screen.note("Making the database …")
            postgres.make_cluster(self.place, self.place.secrets()["PG_ADMIN"])
            if self.place.folder not in self.place.postgres.parents:
                self.screen.note(
                    f"The database's files are in {self.place.postgres} (its user cannot enter here)."
                )
        self._start([part for part in wanted if part.name in parts.INFRASTRUCTURE])
        self._prepare()
        self._start([part for part in wanted if part.name in parts.APPLICATION])

    def _start(self, wanted: list[Part]) -> None:
        assert self.guard is not None
        began = time.monotonic()
        for part in wanted:
            child = children.start_part(part, self.place, self.environment, self.guard)
            self.running[part.name] = part, child
        waiting = list(wanted)
        while waiting:
            for part in list(waiting):
                child = self.running[part.name][1]
                if child.ended():
                    raise StackFailed(self._obituary(part, child, "did not start"))
                if part.healthy(child.written()):
                    self.screen.part(part.title, part.address, time.monotonic() - began)
                    waiting.remove(part)
            if waiting and time.monotonic() - began > START_PATIENCE:
                part = waiting[0]
                raise StackFailed(self._obituary(part, self.running[part.name][1], "is not answering"))
            if waiting:
                self.pause(0.04)

    def _obituary(self, part: Part, child: Child, what: str) -> str:
        code = child.process.poll()
        ending = "" if code is None else f" (exit status {code})"
        return f"{part.title} {what}{ending}. {self._last_lines(child)}"

    def _last_lines(self, child: Child, count: int = 15) -> str:
        where = "" if self.place.temporary else f" (all of it: {child.log})"
        return f"It said last{where}:\n{child.last_lines(count)}"

    # --- data ------------------------------------------------------------------------------------
    def _prepare(self) -> None:
        options = self.options
        if "pg" in options.names:
            postgres.apply_roles(self.place, self.ports["pg"], may_create_databases=options.for_tests)
        if options.static and not static.collected():
            self.manage("collectstatic", "Collecting static files", "--noinput", "--verbosity", "0")
            static.mark_collected()
        if not options.migrate:
            return
        self.manage("migrate", "Migrating the database")
        if options.seed and not self.place.seeded.exists():
            self.manage("seed_demo", "Seeding demo data")
            self.place.seeded.touch()

    def manage(self, command: str, title: str, *arguments: str) -> None:
        """One management command; its output goes to the terminal, or to a log when it is of no interest."""
        self.screen.note(f"{title} …")
        began = time.monotonic()
        quiet = command != "seed_demo"
        log = self.place.logs / f"{command}.log"
        with log.open("ab") as output:
            start = output.tell()
            child = self._command(
                [sys.executable, "manage.py", command, *arguments],
                output if quiet else None,
            )
            child.log, child.log_start = (log, start) if quiet else (None, 0)
            code = self._await(child)
        if code:
            said = f" {self._last_lines(child, 25)}" if quiet else ""
            raise StackFailed(f"manage.py {command} failed with exit status {code}.{said}")
        self.screen.note(f"{title}: done in {time.monotonic() - began:.1f} s")

    def _command(self, command: list[str], output: object | None) -> Child:
        assert self.guard is not None
        error = subprocess.STDOUT if output is not None else None
        return children.start_command(
            command,
            self.environment,
            self.guard,
            cwd=str(ROOT),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=error,
        )

    def _await(self, child: Child) -> int:
        while not child.ended():
            try:
                self.pause(0.05)
            except Interrupted:
                child.signal(signal.SIGTERM)
                child.wait(5.0, lambda: self.interrupts > 1)
                child.forget()
                raise
        child.forget()
        return int(child.process.returncode)

    # --- watch -----------------------------------------------------------------------------------
    def watch(self) -> None:
        """Until somebody asks us to stop: restart what ends by itself, say what stops answering."""
        checked = time.monotonic()
        while True:
            self.pause(0.3)
            self.revive()
            if time.monotonic() - checked > HEALTH_EVERY:
                self._check_health()
                checked = time.monotonic()

    def revive(self) -> None:
        for name, (part, child) in list(self.running.items()):
            if child.ended():
                self._restart(name, part, child)

    def _restart(self, name: str, part: Part, child: Child) -> None:
        child.forget()
        recent = self.restarts.setdefault(name, deque())
        now = time.monotonic()
        while recent and now - recent[0] > RESTART_WINDOW:
            recent.popleft()
        if len(recent) >= RESTARTS:
            raise StackFailed(self._obituary(part, child, "keeps ending"))
        recent.append(now)
        self.screen.warn(self._obituary(part, child, "ended by itself and is started again"))
        if name == "pg":
            self._await_orphans()
        self._start([part])

    def _await_orphans(self) -> None:
        """A killed server's own children let go of its files only a moment later."""
        self.pause(1.0)

    def _check_health(self) -> None:
        for name, (part, child) in self.running.items():
            well = part.healthy(child.written()) if part.ports else True
            if well and name in self.unwell:
                self.unwell.discard(name)
                self.screen.note(f"{part.title} answers again.")
            elif not well and name not in self.unwell:
                self.unwell.add(name)
                self.screen.warn(f"{part.title} does not answer; its log is {child.log}.")

    # --- stop ------------------------------------------------------------------------------------
    def stop(self) -> None:
        """End every part, the last started first; asked once more, do it at once."""
        asked = self.interrupts
        for name, (part, child) in reversed(list(self.running.items())):
            children.stop(child, part, lambda: self.interrupts > asked)
            del self.running[name]
        if self.guard is not None:
            self.guard.finish()

    def exported(self) -> Mapping[str, str]:
        return self.environment
