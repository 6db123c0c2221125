"""bin/demo: comes up, keeps its data, says what is wrong, and leaves nothing running however it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from sandbox.stack.place import ROOT, Place
from tests.sandbox.stack.conftest import Demo, descendants, gone, processes

PARTS = ("postgres", "valkey-server", "sandbox.aws", "sandbox.stripe", "sandbox.mail", "granian", " beat ")


def finish(process: "subprocess.Popen[str]", timeout: float = 40.0) -> str:
    out, _ = process.communicate(timeout=timeout)
    return out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_leaves_no_process(demo: Demo, number: signal.Signals) -> None:
    process = demo.up()
    family = descendants(process.pid)
    assert len(family) >= 4  # the guard, the database, two Valkeys
    process.send_signal(number)
    assert "nothing is left running" in finish(process)
    assert process.returncode == 0
    assert gone(family) == {}


def test_killed_outright_it_leaves_no_process(demo: Demo) -> None:
    process = demo.up()
    family = descendants(process.pid)
    process.kill()
    process.wait()
    assert gone(family) == {}


def test_killed_outright_with_a_command_running_it_leaves_no_process_and_no_files(demo: Demo) -> None:
    command = ["-m", "sandbox.stack", "--only", "pg", "--fast", "--run", "sh", "-c"]
    process = subprocess.Popen(
        [sys.executable, *command, 'echo "$DEMO_DIR"; sleep 1000'],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    folder = process.stdout.readline().strip()
    assert os.path.isdir(folder)
    family = descendants(process.pid)
    process.kill()
    process.wait()
    process.stdout.close()
    assert gone(family) == {}
    assert not os.path.exists(folder)


def test_a_second_start_keeps_the_data_and_is_quick(demo: Demo) -> None:
    process = demo.up()
    demo.sql("create table kept (n int); insert into kept values (42)")
    process.send_signal(signal.SIGINT)
    finish(process)
    began = time.monotonic()
    demo.up()
    assert time.monotonic() - began < 10
    assert demo.sql("select n from kept") == "(42,)"


def test_data_survives_a_supervisor_that_was_killed(demo: Demo) -> None:
    process = demo.up()
    demo.sql("create table kept (n int); insert into kept values (43)")
    process.kill()
    demo.up()  # at once: the guard may still be stopping the first one
    assert demo.sql("select n from kept") == "(43,)"


def test_reset_starts_anew(demo: Demo) -> None:
    process = demo.up()
    demo.sql("create table kept (n int)")
    process.send_signal(signal.SIGINT)
    finish(process)
    demo.up("--reset")
    assert demo.sql("select to_regclass('kept')") == "(None,)"


def test_a_taken_port_is_named_with_the_part_and_the_way_out(demo: Demo) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", demo.port(3)))
        other.listen()
        process = demo.start()
        said = finish(process)
    assert process.returncode == 70
    assert f"Valkey (cache) cannot start: port {demo.port(3)} is taken by another program." in said
    assert "--base-port" in said


def test_a_second_demo_on_the_same_data_is_refused(demo: Demo) -> None:
    process = demo.up()
    said = finish(demo.start())
    assert f"The demo already runs here (process {process.pid})" in said


def test_a_part_that_ends_by_itself_is_said_and_started_again(demo: Demo) -> None:
    process = demo.up(parts="valkey")
    (killed,) = _caches(demo, process.pid)
    os.kill(killed, signal.SIGKILL)
    until = time.monotonic() + 15
    while not _caches(demo, process.pid) - {killed}:
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(0.5)  # it also has to be found well before we stop it
    process.send_signal(signal.SIGINT)
    assert "Valkey (cache) ended by itself and is started again (exit status -9)" in finish(process)


def test_a_part_that_cannot_start_is_shown_with_its_last_lines(demo: Demo) -> None:
    process = demo.up(parts="valkey")
    process.send_signal(signal.SIGINT)
    finish(process)
    broken = demo.folder / "broker" / "appendonlydir" / "appendonly.aof.manifest"
    broken.write_text("nonsense\n")
    process = demo.start(parts="valkey")
    said = finish(process)
    assert process.returncode == 70
    assert "Valkey (broker) did not start" in said
    assert "manifest" in said


def test_secrets_are_for_their_owner_only_and_random(demo: Demo) -> None:
    place = Place(demo.folder, temporary=False)
    place.prepare()
    known = place.secrets()
    assert len(set(known.values())) == len(known)
    assert min(map(len, known.values())) >= 40
    file = demo.folder / "secrets.json"
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text()) == place.secrets()


def _caches(demo: Demo, supervisor: int) -> set[int]:
    title = f"valkey-server 127.0.0.1:{demo.port(3)}"
    return {pid for pid in descendants(supervisor) if title in processes().get(pid, "")}


def test_a_database_that_was_killed_comes_back_with_what_was_committed(demo: Demo) -> None:
    process = demo.up(parts="pg")
    demo.sql("create table kept (n int); insert into kept values (44)")
    server = int((demo.place.postgres / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(server, signal.SIGKILL)
    assert process.stdout is not None
    while "PostgreSQL  " not in (line := process.stdout.readline()):
        assert line, "the supervisor ended"
    assert demo.sql("select n from kept") == "(44,)"


@pytest.mark.timeout(240)
def test_the_whole_stack_leaves_no_process_asked_or_killed(demo: Demo) -> None:
    """Both on the same data: the second start has nothing to make any more."""
    for number in (signal.SIGINT, signal.SIGKILL):
        process = demo.up("--no-seed", parts="all")
        family = descendants(process.pid)
        lines = [line for pid, line in processes().items() if pid in family]
        for part in PARTS:
            assert any(part in line for line in lines), part
        assert sum("celery -A proecommerce worker" in line for line in lines) == 3  # it and its two children
        process.send_signal(number)
        finish(process)
        assert gone(family) == {}, number
