"""Which tests miss a call of `record` that is taken out: `bin/bench recordings [PATH…]`, half an hour.

The mutation score over every rule of every app; `tests.mutating` says how. With paths of tests, only those
are run, and only what they reach is judged.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.stack import suite
from tests import mutating

PARTS = "pg"  # read by bin/bench; the tests have a stack of their own
LEAST_SCORE = 0.99
# In a browser or a process of its own, a rule runs as it is; these take long, and ask for other things.
ELSEWHERE = (
    "attacks",
    "billing/payments/test_crashes.py",
    "deploy",
    "guards",
    "journeys",
    "looks",
    "rehearsal",
    "sandbox",
    "vault",
    "wall",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", help="tests; by default all")
    paths = parser.parse_args().paths
    with tempfile.TemporaryDirectory(prefix="recordings-") as directory:
        run(paths or ["tests", *(f"--ignore=tests/{each}" for each in ELSEWHERE)], Path(directory))
        names = {each.name for each in Path(directory).iterdir()}
    every = mutating.sites(*mutating.APPS)
    reached = [each for each in every if f"reached {each}" in names]
    missed = [each for each in reached if f"missed {each}" in names]
    judged = every if not paths else reached
    for site in judged:
        if site not in missed:
            print(f"{site}: {'no test misses it' if site in reached else 'no test comes by'}")
    score = len(missed) / len(judged) if judged else 0.0
    fine = score >= LEAST_SCORE
    print(
        f"{len(missed)} of {len(judged)} recording calls are missed by a test when they are taken out:"
        f" {score:.1%} (at least {LEAST_SCORE:.0%}): {'fine' if fine else 'NOT KEPT'}"
    )
    return 0 if fine else 1


def run(paths: list[str], notes: Path) -> None:
    """Run these tests, each once more for every call that it comes by and that none has missed yet."""
    workers = ["-n", "2", "--dist", "loadgroup", "-m", "not long", "--timeout=600"]
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutating", *workers, *paths]
    command = suite.stack_command(["--only", suite.PARTS, "--static"], pytest)
    done = subprocess.run(command, check=False, env=os.environ | {"RECORDINGS": str(notes)})
    if done.returncode:
        raise SystemExit("The tests have to pass as they are before they can miss anything.")


if __name__ == "__main__":
    sys.exit(main())
