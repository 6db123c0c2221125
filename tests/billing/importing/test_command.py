"""`manage.py import_csv` as a person meets it: what it prints, where, and how it ends."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Customer
from billing.management.commands import import_csv
from billing.models import Subscription
from tests.billing.importing import files

ROOT = Path(__file__).resolve().parents[3]


def written(path: Path, data: io.BytesIO) -> str:
    path.write_bytes(data.getvalue())
    return str(path)


def run(tenant: Any, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "manage.py", "import_csv", "--tenant", tenant.slug, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ.copy(), capture_output=True, text=True, check=False, timeout=120
    )


def test_it_ends_with_0_when_all_is_in_and_with_1_when_a_file_is_left_out(
    fresh_tenant: Any, tmp_path: Path
) -> None:
    customers = written(tmp_path / "c.csv", files.customers())
    good = written(tmp_path / "s.csv", files.subscriptions({"next_due_on": "2026-12-15"}))
    done = run(fresh_tenant, "--customers", customers, "--subscriptions", good)
    assert (done.returncode, Subscription.objects.count()) == (0, 1)
    assert done.stdout.splitlines() == [
        "c.csv: 1 rows; 1 created, 0 changed, 0 unchanged, 0 problems, 0 notes",
        "s.csv: 1 rows; 1 created, 0 changed, 0 unchanged, 0 problems, 1 notes",
    ]
    assert "s.csv: note: line 2, next_due_on: next due on 2026-12-15 does not fit" in done.stderr
    bad = written(tmp_path / "bad.csv", files.subscriptions({}, {"quantity": "none"}))
    left = run(fresh_tenant, "--subscriptions", bad)
    assert (left.returncode, Subscription.objects.count()) == (1, 1)
    assert "bad.csv: line 3, quantity: 'none' is not a quantity" in left.stderr
    assert "CommandError: Not imported: a file with a bad row is left out whole." in left.stderr
    assert "bad.csv: 2 rows; 0 would be created, 1 would be changed, 0 unchanged, 1 problems" in left.stdout


def test_customers_are_kept_when_only_the_subscriptions_are_bad(fresh_tenant: Any, tmp_path: Path) -> None:
    customers = written(tmp_path / "c.csv", files.customers())
    bad = written(tmp_path / "s.csv", files.subscriptions({"cycle": "weekly"}))
    out = io.StringIO()
    with pytest.raises(CommandError, match="Not imported"):
        call_command(
            "import_csv",
            tenant=fresh_tenant.slug,
            customers=customers,
            subscriptions=bad,
            stdout=out,
            stderr=io.StringIO(),
        )
    assert (Customer.objects.count(), Subscription.objects.count()) == (1, 0)
    assert "c.csv: 1 rows; 1 created" in out.getvalue()


def test_it_tells_how_far_it_is(fresh_tenant: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_csv, "EVERY", 1_000)
    customers = written(tmp_path / "c.csv", files.customers(*[{}] * 2_500))
    out = io.StringIO()
    call_command("import_csv", tenant=fresh_tenant.slug, customers=customers, dry_run=True, stdout=out)
    assert out.getvalue().splitlines() == [
        "customers: 1,000 rows read",
        "customers: 2,000 rows read",
        "c.csv: 2,500 rows; 2,500 would be created, 0 would be changed, 0 unchanged, 0 problems, 0 notes",
    ]
    assert not Customer.objects.exists()


def test_a_hopeless_file_is_told_in_short(fresh_tenant: Any, tmp_path: Path) -> None:
    customers = written(tmp_path / "c.csv", files.customers(*[{"email": "x"}] * 1_500))
    errors = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_csv", tenant=fresh_tenant.slug, customers=customers, stderr=errors)
    lines = errors.getvalue().splitlines()
    assert len(lines) == 1_001
    assert lines[-1] == "c.csv: so many problems; the rest was not read"


def test_what_cannot_be_read_is_said(fresh_tenant: Any, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR)
    try:
        with pytest.raises(CommandError, match="is read twice, so it has to be a file"):
            call_command("import_csv", tenant=fresh_tenant.slug, customers=str(pipe))
    finally:
        os.close(end)
    with pytest.raises(CommandError, match="Is a directory"):
        call_command("import_csv", tenant=fresh_tenant.slug, customers=str(tmp_path))
    with pytest.raises(CommandError, match="Give --customers FILE"):
        call_command("import_csv", tenant=fresh_tenant.slug)
    with pytest.raises(CommandError, match="There is no tenant 'nobody'"):
        call_command("import_csv", tenant="nobody", customers="x.csv")
