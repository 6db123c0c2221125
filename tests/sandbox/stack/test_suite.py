"""bin/test: sums up truthfully what passed and what failed."""

import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.stack.place import ROOT
from sandbox.stack.suite import Tally, find_browser, keep_bytecode, run_check


def test_checks_and_tests_are_summed_up_in_one_line() -> None:
    tally = Tally()
    tally.check("ruff", True)
    tally.check("mypy", False)
    tally.tests("==== 2 failed, 10 passed, 3 skipped, 1 error in 4.21s ====", 1)
    assert tally.line(12.4) == "11 passed, 4 failed, 3 skipped in 12 s"
    assert tally.broken == ["mypy", "tests"]


def test_all_well_is_no_failure() -> None:
    tally = Tally()
    tally.tests("================= 10 passed in 4.21s =================", 0)
    assert (tally.failed, tally.broken) == (0, [])


@pytest.mark.parametrize("summary", ["", "==== 10 passed in 1.0s ===="])
def test_a_status_that_the_figures_do_not_explain_is_a_failure(summary: str) -> None:
    tally = Tally()
    tally.tests(summary, 2)
    assert tally.failed == 1


def test_a_check_says_that_it_is_well_and_all_that_it_has_to_say_when_it_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_check("calm", ["sh", "-c", "echo noise"])
    assert not run_check("cross", ["sh", "-c", "echo this; echo that >&2; exit 3"])
    said = capsys.readouterr().out
    assert "✓ calm" in said and "noise" not in said
    assert "✗ cross" in said and "this\nthat\n" in said


def test_processes_of_the_tests_share_their_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "/nowhere")
    keep_bytecode()
    asked = "import sys; print(sys.dont_write_bytecode, sys.pycache_prefix)"
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"False {ROOT / '.cache' / 'bytecode'}"


def test_without_chromium_the_command_that_brings_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert find_browser() is None
    assert "sudo apt-get install chromium" in capsys.readouterr().out


@pytest.mark.parametrize("script", ["bin/bootstrap", "bin/demo", "bin/test", "bin/bench", ".ci/run"])
def test_the_commands_can_be_run_and_parse(script: str) -> None:
    file = ROOT / script
    assert file.stat().st_mode & 0o111
    shell = file.read_text().splitlines()[0].removeprefix("#!").split()[-1]
    assert subprocess.run([Path(shell).name, "-n", str(file)], check=False).returncode == 0


def test_a_measurement_that_does_not_exist_is_said() -> None:
    done = subprocess.run([ROOT / "bin" / "bench", "nonsense"], check=False, capture_output=True, text=True)
    assert done.returncode == 64
    assert "tests/bench/nonsense.py is missing" in done.stderr
