"""Public forms take people, with and without scripts, and tell whoever is held up what to do."""

import subprocess
from collections.abc import Callable
from shutil import which
from typing import Any

import pytest
from django.test import Client

from accounts.humans import FAST, OLD, TRAP, is_proof, make_stamp, read_stamp
from tenants import clock
from tenants.models import Job
from tests.conftest import ROOT
from tests.humans import prove, stamped

Browser = Callable[..., Client]


def ask(client: Client, **more: str) -> Any:
    return client.post("/forgotten/", {"email": "nora@lind.example"} | more)


def test_a_form_with_its_work_done_is_taken(tenant: Any, browser: Browser) -> None:
    assert ask(browser(), **stamped("reset", seconds=3)).status_code == 200


def test_a_form_without_scripts_is_taken_too_but_not_as_often(tenant: Any, browser: Browser) -> None:
    answers = [ask(browser(), email=f"p{n}@lind.example", **stamped("reset", work=False)) for n in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert ask(browser(), email="q@lind.example", **stamped("reset")).status_code == 200


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (dict, OLD),
        (lambda: {"stamp": "forged"}, OLD),
        (lambda: stamped("sign-up"), OLD),
        (lambda: stamped("reset", seconds=5 * 3600), OLD),
        (lambda: stamped("reset", seconds=-60), OLD),
        (lambda: stamped("reset", seconds=0), FAST),
        (lambda: stamped("reset", seconds=3, work=False), FAST),
        (lambda: stamped("reset") | {"website": "https://cheap.example"}, TRAP),
    ],
)
def test_whoever_is_held_up_is_told_and_may_go_on(
    tenant: Any,
    browser: Browser,
    sent: Callable[[], dict[str, str]],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = clock.wall()  # however long the work takes here
    monkeypatch.setattr(clock, "wall", lambda: at)
    answer = ask(browser(), **sent())
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Job.objects.filter(name="accounts.mail_reset").exists()
    assert "nora@lind.example" in answer.content.decode()  # nothing has to be typed again


def test_who_was_too_fast_sends_the_same_form_again(
    tenant: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = clock.wall()  # however long the work takes here
    monkeypatch.setattr(clock, "wall", lambda: at)
    sent = stamped("reset", seconds=1)
    page = ask(browser(), **sent).content.decode()
    assert f'name="stamp" value="{sent["stamp"]}"' in page


def test_a_form_is_taken_once(tenant: Any, browser: Browser) -> None:
    sent = stamped("reset")
    assert ask(browser(), **sent).status_code == 200
    again = ask(browser(), **sent)
    assert (again.status_code, OLD in again.content.decode()) == (422, True)
    assert sent["stamp"] not in again.content.decode()


def test_work_counts_for_its_own_stamp_only() -> None:
    one, two = (make_stamp("reset", now=clock.wall()) for _ in range(2))
    work = prove(one)
    assert is_proof(one, work) and not is_proof(two, work)
    assert read_stamp(one, "reset") and not read_stamp(one, "sign-up")
    for wrong in ("", "-1", "1e3", "x", "１", " 1"):
        assert not is_proof(one, wrong)


def test_people_do_not_meet_the_trap(tenant: Any, browser: Browser) -> None:
    page = browser().get("/forgotten/").content.decode()
    assert 'class="visually-hidden" aria-hidden="true"' in page
    assert 'name="website" type="text" value="" tabindex="-1" autocomplete="off"' in page


@pytest.mark.skipif(
    which("node") is None, reason="node is not installed; the journeys run the script in a browser"
)
def test_the_scripts_hash_is_sha_256() -> None:
    import hashlib

    texts = ["", "abc", "a" * 55, "a" * 56, "a" * 64, "a" * 119, "a" * 200, "WyJ:42"]
    program = (
        "globalThis.document={querySelectorAll:()=>[]};"
        f"const {{head}}=await import('file://{ROOT}/static/js/proof.js');"
        f"for (const t of {texts!r}) console.log(head(t)>>>0);"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program], capture_output=True, text=True, check=True
    )
    wanted = [str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])) for text in texts]
    assert done.stdout.split() == wanted
