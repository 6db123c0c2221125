"""What the web server's processes and the worker's do before their first request and job."""

import os
import subprocess
import sys

import pytest

WEB = "import proecommerce.wsgi"
WORKER = (
    "import django; django.setup(); from celery.signals import worker_init; import proecommerce.celery;"
    " worker_init.send(None)"
)
LEFT = "; import gc; print(gc.get_freeze_count(), len(gc.get_objects()))"
LOADED = "; import sys; print('billing.portal.pages' in sys.modules, 'billing.pay.views' in sys.modules)"
DEAD = "http://127.0.0.1:9"


def python(code: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "proecommerce.settings"} | environ
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("process", [WEB, WORKER], ids=["web", "worker"])
def test_the_collector_leaves_alone_what_lives_as_long_as_the_process(process: str) -> None:
    done = python(process + LEFT + LOADED)
    assert done.returncode == 0, done.stderr
    counts, loaded = done.stdout.split("\n")[:2]
    frozen, left = map(int, counts.split())
    assert frozen > 100_000 > 10 * left
    assert loaded == "True True"  # else the first visitor waits for it


@pytest.mark.parametrize("process", [WEB, WORKER], ids=["web", "worker"])
def test_without_its_keys_it_does_not_start(process: str) -> None:
    done = python(process, AWS_ENDPOINT_URL=DEAD)
    assert done.returncode != 0
    assert "Secrets Manager" in done.stderr
