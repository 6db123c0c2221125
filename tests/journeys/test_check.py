"""bin/demo --check without a browser walks the whole main job over HTTP, and says how that went."""

import os
import re
import subprocess
import sys

import pytest

from sandbox.stack import check
from sandbox.stack.steps.registry import Step, World, fail, skip
from tests.conftest import ROOT
from tests.journeys.conftest import Site

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.timeout(240)]


def test_the_main_job_is_walked_over_http_one_line_a_step(site: Site) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.stack.check", "HTTP"],
        cwd=ROOT, env=site.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    *steps, summary = done.stdout.splitlines()
    assert (done.returncode, summary) == (0, f"{len(steps)} passed, 0 failed"), done.stdout + done.stderr
    assert len(steps) == 11
    assert [line for line in steps if not re.fullmatch(r"✓ HTTP: .* \d+\.\d\d s", line)] == []


def test_what_fails_is_said_and_what_needs_it_is_not_tried(capsys: pytest.CaptureFixture[str]) -> None:
    world, report = World({}), check.Report()
    steps = [
        Step("good", lambda world: None),
        Step("bad", lambda world: fail("it rained")),
        Step("broken", lambda world: print(1 // 0)),
        Step("absent", lambda world: skip("no umbrella")),
        Step("later", lambda world: None, after=("bad",)),
    ]
    for step in steps:
        check.run(step, world, report)
    said = [re.sub(r" +\d+\.\d\d s", "", line) for line in capsys.readouterr().out.splitlines()]
    assert said[:2] == ["✓ good", "✗ bad  it rained"]
    assert said[2].startswith("✗ broken  ZeroDivisionError")
    assert said[3:] == ["- absent  no umbrella", "- later  needs: bad"]
    assert report.line() == "1 passed, 2 failed, 2 skipped"


def test_a_failing_step_is_the_exit_status_too(site: Site) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.stack.check", "mail: web page"],
        cwd=ROOT, env=site.env | {"MAIL_WEB_URL": site.url + "/nothing-here"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"


@pytest.mark.parametrize("named", ["/nowhere/chromium", "/etc/passwd"])
def test_a_browser_that_is_named_and_not_there_is_not_replaced_by_another(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sandbox.stack.suite import find_browser, find_installed_browser

    monkeypatch.setitem(os.environ, "CHROMIUM", named)
    assert find_installed_browser() is None
    assert find_browser() is None
