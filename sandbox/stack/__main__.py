"""bin/demo: reads what is asked for and runs one stack for it."""

import argparse
import json
import os
import signal
import sys
import time

from sandbox.stack import children, parts, place, ports, postgres
from sandbox.stack.children import Child
from sandbox.stack.screen import Screen
from sandbox.stack.supervisor import Interrupted, Options, Stack, StackFailed

TROUBLE = (
    StackFailed,
    ports.PortTaken,
    place.PlaceBusy,
    postgres.DatabaseFailed,
    FileNotFoundError,
)


def main(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    own, command = _split(arguments)
    options = _parser().parse_args(own)
    try:
        names = parts.chosen(options.only)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 64
    if options.check:
        command = [sys.executable, "-m", "sandbox.stack.check"]
    try:
        if command is not None:
            return run_command(command, names, options)
        return run_demo(names, options)
    except TROUBLE as error:
        print(f"\n{error}", file=sys.stderr)
        return 70


def _split(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    """Everything after --run is the command; our own options stand before it, or up to a `--` after it."""
    if "--run" not in arguments:
        return arguments, None
    at = arguments.index("--run")
    before, after = arguments[:at], arguments[at + 1 :]
    if after[:1] and after[0].startswith("-") and "--" in after:
        cut = after.index("--")
        before, after = before + after[:cut], after[cut + 1 :]
    elif after[:1] == ["--"]:
        after = after[1:]
    if not after:
        print("bin/demo --run: name the command to run.", file=sys.stderr)
        raise SystemExit(64)
    return before, after


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="Runs ProEcommerce whole, on this machine only.",
        epilog="bin/demo --run COMMAND…: the same stack on free ports in a temporary place, for one command.",
    )
    port, base = (os.environ.get(name) for name in ("PROE_PORT", "PROE_BASE_PORT"))
    add = parser.add_argument
    add("--port", type=int, default=port or 8000, help="the site's port (8000)")
    add("--base-port", type=int, default=base, help="the other parts' ports start here (--port + 10000)")
    add("--reset", action="store_true", help="forget the data and start anew")
    add("--check", action="store_true", help="run the main job on a stack of its own and say what works")
    only = f"only these parts, of {', '.join((*parts.ALL, *parts.GROUPS))}"
    add("--only", "--parts", default="all", metavar="PARTS", help=only)
    add("--no-seed", action="store_true", help="no demo data")
    add("--migrate", action="store_true", help="migrate even when --only names no web, worker or beat")
    add("--static", action="store_true", help="collect static files even when --only names none of these")
    add("--fast", action="store_true", help="for tests: the database does not wait for the disk")
    add("--verbose", action="store_true", help="with --run: show the stack's progress")
    return parser


def run_demo(names: list[str], asked: argparse.Namespace) -> int:
    home = place.Place(place.DEMO, temporary=False)
    home.acquire()
    if asked.reset:
        home.wipe()
    base_port = asked.base_port if asked.base_port is not None else asked.port + 10000
    screen = Screen(out=sys.stdout)
    options = _options(names, asked, for_tests=False)
    stack = Stack(home, ports.fixed(asked.port, base_port), options, screen)
    stack.listen()
    began = time.monotonic()
    try:
        stack.start()
        screen.note(f"Up in {time.monotonic() - began:.1f} s.\n")
        _tell(stack, asked.port)
        stack.watch()
    except Interrupted:
        screen.note("\nStopping …")
    finally:
        stack.stop()
    screen.note("Stopped; nothing is left running.")
    return 0


def run_command(command: list[str], names: list[str], asked: argparse.Namespace) -> int:
    home = place.temporary_place()
    home.acquire()
    options = _options(names, asked, for_tests=True)
    stack = Stack(
        home,
        ports.choose_free(),
        options,
        Screen(quiet=not (asked.verbose or asked.check)),
    )
    stack.listen()
    try:
        stack.start()
        return _run(stack, command)
    except Interrupted:
        return 128 + stack.received
    finally:
        stack.stop()
        place.remove(home)


def _run(stack: Stack, command: list[str]) -> int:
    """The command in the stack's environment, where the caller stands; its status is ours."""
    assert stack.guard is not None
    terminal = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else None
    try:
        child = children.start_command(command, stack.environment, stack.guard, process_group=0)
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126
    if terminal is not None:
        _give_terminal(terminal, child.process.pid)
    try:
        return _status(stack, child)
    finally:
        child.forget()
        if terminal is not None:
            _give_terminal(terminal, os.getpgrp())


def _status(stack: Stack, child: Child) -> int:
    passed_on = 0
    while not child.ended():
        time.sleep(0.05)
        if stack.interrupts > passed_on:
            passed_on = stack.interrupts
            child.signal(signal.SIGKILL if passed_on > 2 else signal.Signals(stack.received))
        elif not stack.interrupts:
            stack.revive()
    if passed_on:  # what it started may still be tidying up
        child.linger(3.0)
    code = int(child.process.returncode)
    return 128 - code if code < 0 else code


def _give_terminal(terminal: int, group: int) -> None:
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(terminal, group)
    except OSError:
        pass
    finally:
        signal.signal(signal.SIGTTOU, before)


def _options(names: list[str], asked: argparse.Namespace, *, for_tests: bool) -> Options:
    application = any(name in parts.APPLICATION for name in names)
    return Options(
        names,
        fast=asked.fast,
        migrate=application or asked.migrate,
        static=application or asked.static,
        seed=not asked.no_seed,
        for_tests=for_tests,
    )


def _tell(stack: Stack, port: int) -> None:
    """The addresses, and who may log in where."""
    note = stack.screen.note
    if "web" in stack.running:
        note(f"Public site   http://localhost:{port}/")
        note(f"Admin         http://localhost:{port}/admin/")
        note(f"Pay host      http://pay.localhost:{port}/")
    for name, title in (("mail", "Mail"), ("stripe", "Stripe")):
        if name in stack.running:
            note(f"{title:<13} {stack.running[name][0].address}/")
    if stack.place.logins.exists():
        note("\nLog-ins:")
        for login in json.loads(stack.place.logins.read_text()):
            note(f"  {login['who']:<28} {login['url']}\n  {'':<28} {login['email']}  {login['password']}")
            if "note" in login:
                note(f"  {'':<28} {login['note']}")
    note(f"\nLogs: {stack.place.logs}/ — Ctrl-C stops everything.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
