"""bin/test: every check and every test; all of them run, and one line sums them up.

The checks run one after the other beside the tests, on what the tests leave idle: while their stack starts
and while they wait for something.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.stack.place import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
HELPERS = {"caddy": "caddy", "fail2ban-regex": "fail2ban"}  # program: Debian's package
PARTS = "pg,valkey,moto,stripe,mail"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected)")


@dataclass
class Tally:
    """What passed and what failed, checks and tests together."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    broken: list[str] = field(default_factory=list)

    def check(self, name: str, ok: bool) -> None:
        self.passed += ok
        self.failed += not ok
        if not ok:
            self.broken.append(name)

    def tests(self, summary: str, status: int) -> None:
        """Take pytest's own figures; a status that they do not explain is a failure too."""
        counts = {word.rstrip("s"): int(number) for number, word in COUNT.findall(summary)}
        failed = counts.get("failed", 0) + counts.get("error", 0)
        self.passed += counts.get("passed", 0) + counts.get("xfailed", 0)
        self.skipped += counts.get("skipped", 0)
        self.failed += failed or (1 if status else 0)
        if failed or status:
            self.broken.append("tests")

    def line(self, seconds: float) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped} in {seconds:.0f} s"


def main(arguments: list[str]) -> int:
    began = time.monotonic()
    long = "--long" in arguments
    checks = "--no-checks" not in arguments
    for_pytest = [argument for argument in arguments if argument not in ("--long", "--no-checks")]
    keep_bytecode()
    tally = Tally()
    browser = find_browser()
    tally.check("browser", browser is not None)
    if browser:
        os.environ["CHROMIUM"] = browser
    find_helpers()
    beside = ThreadPoolExecutor(1)
    try:
        commands = static_checks() if checks else []
        found = {name: beside.submit(run_check, name, command) for name, command in commands}
        summary, status = run_tests(for_pytest, long=long)
        for name, future in found.items():
            tally.check(name, future.result())
        tally.tests(summary, status)
    finally:
        beside.shutdown(cancel_futures=True)
    if tally.broken:
        print(f"\nNot well: {', '.join(tally.broken)}.")
    print(tally.line(time.monotonic() - began), flush=True)
    return 1 if tally.failed else 0


def keep_bytecode() -> None:
    """Let the many processes of the tests read what the first one compiled, whatever else is set here.

    Starting without it costs each of them three times the work.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(ROOT / ".cache" / "bytecode")


def static_checks() -> list[tuple[str, list[str]]]:
    tools = Path(sys.executable).parent
    migrations = ["python", "manage.py", "makemigrations", "--check", "--dry-run"]
    return [
        ("ruff check", [str(tools / "ruff"), "check", "."]),
        ("ruff format", [str(tools / "ruff"), "format", "--check", "."]),
        ("import contracts", [str(tools / "lint-imports")]),
        # Its Django plugin reads the settings, and those want their environment.
        ("mypy", stack_command(["--only", "cache"], [str(tools / "mypy"), "."])),
        ("migrations", stack_command(["--only", "cache"], migrations)),  # compares files, asks no database
    ]


def stack_command(options: list[str], command: list[str]) -> list[str]:
    return [sys.executable, "-m", "sandbox.stack", "--fast", *options, "--run", *command]


def run_check(name: str, command: list[str]) -> bool:
    """One check, behind the tests; it speaks only when it has something to say."""
    began = time.monotonic()
    done = subprocess.run(
        ["nice", "-n", "5", *command],
        check=False,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    ok = done.returncode == 0
    said = f"{'✓' if ok else '✗'} {name:<18} {time.monotonic() - began:5.1f} s\n"
    if not ok:
        said += (done.stdout + done.stderr).rstrip() + "\n\n"
    sys.stdout.write(said)  # in one piece: the tests are speaking too
    sys.stdout.flush()
    return ok


def run_tests(arguments: list[str], *, long: bool) -> tuple[str, int]:
    """pytest in a stack of its own; its output as it comes, its last line, and its status."""
    own = ["-n", str(max(2, min((os.cpu_count() or 2) + 1, 8))), "--dist", "loadgroup"]
    if any(argument.startswith(("-n", "--numprocesses")) for argument in arguments):
        own = []
    if not long and "-m" not in arguments:
        own += ["-m", "not long"]
    if sys.stdout.isatty():
        own.append("--color=yes")
    command = stack_command(["--only", PARTS, "--static"], ["python", "-m", "pytest", *own, *arguments])
    last = ""
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            plain = COLOURS.sub("", line)
            if COUNT.search(plain):
                last = plain
    return last, process.returncode


def find_installed_browser() -> str | None:
    """The Chromium that CHROMIUM names and no other, or else one on PATH."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def find_browser() -> str | None:
    """Chromium for the journeys: where it is, or installed where we may, or how to get it."""
    found = find_installed_browser()
    if found:
        return found
    if not os.environ.get("CHROMIUM") and _may_install():
        _install("chromium")
        found = shutil.which("chromium")
    if found is None:
        print("✗ Chromium is missing, and the browser journeys need it. On Debian or Ubuntu:")
        print("      sudo apt-get install chromium")
        print("  elsewhere, name the program: CHROMIUM=/path/to/chrome bin/test", flush=True)
    return found


def find_helpers() -> None:
    """What some tests try our files with: installed where we may, or how to get it; they skip without."""
    missing = [package for program, package in HELPERS.items() if not shutil.which(program)]
    if missing and _may_install():
        _install(*missing)
        missing = [package for program, package in HELPERS.items() if not shutil.which(program)]
    if missing:
        print(f"Some tests need {' and '.join(missing)}, and are skipped. On Debian or Ubuntu:")
        print(f"      sudo apt-get install {' '.join(missing)}", flush=True)


def _may_install() -> bool:
    return Path("/etc/debian_version").exists() and os.geteuid() == 0


def _install(*packages: str) -> None:
    print(f"Installing {', '.join(packages)} …", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        subprocess.run(
            command, check=False, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
