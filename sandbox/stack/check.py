"""bin/demo --check: the steps of the main job against a running stack, one line a step.

Run inside the stack's environment: bin/demo --run python -m sandbox.stack.check [WORDS]; with words, only the
steps whose titles begin with them.
"""

import sys
import time
import traceback
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from sandbox.stack import steps as step_modules
from sandbox.stack.steps.registry import STEPS, Failed, Skipped, Step, World


@dataclass
class Report:
    """The outcome so far; a step that needs one that failed is not tried."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def line(self) -> str:
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        return f"{self.passed} passed, {len(self.failed)} failed{skipped}"


def run(step: Step, world: World, report: Report) -> None:
    began = time.monotonic()
    missing = [name for name in step.after if name in report.failed or name in report.skipped]
    try:
        if missing:
            raise Skipped(f"needs: {missing[0]}")
        step.action(world)
    except Skipped as reason:
        report.skipped.append(step.title)
        _say("-", step, began, str(reason))
    except Failed as reason:
        report.failed.append(step.title)
        _say("✗", step, began, str(reason))
    except Exception as error:
        report.failed.append(step.title)
        _say("✗", step, began, f"{type(error).__name__}: {error} ({_where(error)})")
    else:
        report.passed += 1
        _say("✓", step, began, "")


def _where(error: Exception) -> str:
    """The line of the step itself, not of the library that it called."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/steps/" in frame.filename] or list(frames)
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"


def _say(mark: str, step: Step, began: float, note: str) -> None:
    seconds = time.monotonic() - began
    print(f"{mark} {step.title:<58} {seconds:6.2f} s{'  ' + note if note else ''}", flush=True)


def main(words: str = "") -> int:
    for module in sorted(found.name for found in iter_modules(step_modules.__path__)):
        import_module(f"{step_modules.__name__}.{module}")
    report = Report()
    world = World.from_environment()
    try:
        for step in STEPS:
            if step.title.startswith(words):
                run(step, world, report)
    finally:
        world.close()
    print(report.line())
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
