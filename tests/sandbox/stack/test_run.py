"""bin/demo --run: one command in a stack of its own, whose status is handed back."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.stack.place import ROOT
from tests.sandbox.stack.conftest import descendants, gone, run_demo

PYTHON = "import os, sys; "


@pytest.mark.parametrize("status", [0, 1, 3, 99])
def test_the_status_of_the_command_is_handed_back(status: int) -> None:
    assert run_demo("--only", "cache", "--run", "sh", "-c", f"exit {status}").status == status


def test_a_command_that_died_of_a_signal_is_told_the_way_shells_do() -> None:
    assert run_demo("--only", "cache", "--run", "sh", "-c", "kill -9 $$").status == 137


def test_a_command_that_does_not_exist_is_said() -> None:
    outcome = run_demo("--only", "cache", "--run", "no-such-command")
    assert outcome.status == 127
    assert "no-such-command cannot be run" in outcome.err


def test_only_the_output_of_the_command_is_written() -> None:
    outcome = run_demo("--only", "cache", "--run", "echo", "hello")
    assert (outcome.out, outcome.err) == ("hello\n", "")


def test_python_is_that_of_the_environment_and_the_temporary_place_is_gone() -> None:
    outcome = run_demo(
        "--only", "cache", "--run", "python", "-c", PYTHON + "print(sys.prefix, os.environ['DEMO_DIR'])"
    )
    prefix, _, folder = outcome.out.strip().partition(" ")
    assert prefix == sys.prefix
    assert not Path(folder).exists()


def test_our_own_options_may_stand_on_both_sides() -> None:
    outcome = run_demo("--run", "--only", "cache", "--", "echo", "--only", "x")
    assert outcome.out == "--only x\n"


def test_an_unknown_part_is_refused_with_the_list_of_those_there_are() -> None:
    outcome = run_demo("--only", "pg,mysql", "--run", "true")
    assert outcome.status == 64
    assert "There is no part 'mysql'" in outcome.err
    assert "valkey" in outcome.err


def test_two_stacks_run_side_by_side() -> None:
    inner = f"{sys.executable} -m sandbox.stack --only cache --run sh -c 'echo inner $CACHE_URL'"
    outcome = run_demo("--only", "cache", "--run", "sh", "-c", f"echo outer $CACHE_URL; {inner}")
    assert outcome.status == 0
    outer, nested = outcome.out.splitlines()
    assert outer.removeprefix("outer ") != nested.removeprefix("inner ")


def test_interrupted_it_passes_that_on_and_leaves_no_process() -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "sandbox.stack",
            "--only",
            "valkey",
            "--run",
            "sh",
            "-c",
            "echo up; sleep 1000",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    family = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    process.stdout.close()
    assert gone(family) == {}


def test_a_repository_whose_path_holds_spaces_works(tmp_path: Path) -> None:
    linked = tmp_path / "my shop (1)"
    linked.symlink_to(ROOT)
    done = subprocess.run(
        [str(linked / "bin" / "demo"), "--only", "cache", "--run", "pwd"],
        check=False,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path))
