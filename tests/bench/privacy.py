"""The figures of the promises, in one: `bin/bench privacy [--rows N] [--people N] …`.

What can be counted is counted here; what only a test can show is shown by running it: the line names it.
"""

import argparse
import logging
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from tests.bench.privacy_figures import Figure

PARTS = "pg,valkey,moto,stripe,mail"  # read by bin/bench
ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Proof:
    """What tests show: those whose node begins with one of these."""

    number: str
    what: str
    nodes: tuple[str, ...]
    asked: str = "every test passes"


RECORD, ENDING, PROMISES = (
    "tests/audit/test_attacks_on_the_record.py",
    "tests/privacy/ending",
    "tests/promises",
)
PROOFS = (
    Proof("G29", "the call that records is taken out: the rule books nothing",
          ("tests/billing/test_every_entry_has_its_event.py", "tests/billing/test_without_its_event.py"),
          "none survives"),
    Proof("G30", "kinds of tampering that are found",
          (f"{RECORD}::test_tampering_is_found",
           f"{RECORD}::test_a_chain_written_anew_as_a_whole_is_found_by_the_checkpoints",
           f"{RECORD}::test_with_the_signing_key_stolen_the_store_outside_still_tells",
           f"{RECORD}::test_a_return_to_an_old_checkpoint_is_found_by_the_store"), "14 and more, all"),
    Proof("G32", "after a purge the chain verifies, and nothing goes early or under a hold",
          (f"{RECORD}::test_a_purge_takes_what_is_old_and_leaves_a_chain_that_verifies",
           f"{RECORD}::test_nothing_goes_early_under_hold_or_while_the_books_name_it")),
    Proof("G32", "rules of retention over eight years: never early, under a hold, or a day late",
          (f"{ENDING}/test_retention.py::test_over_eight_years_nothing_goes_early_late_or_under_a_hold",)),
    Proof("G36", "an old backup without its keys: nothing erased can be read",
          (f"{ENDING}/test_erasure_canaries.py",
           "tests/vault/test_subject_keys.py::test_what_a_long_backup_brings_back_stays_erased",
           f"{ENDING}/test_erasing.py::test_after_a_restore_whoever_was_erased_is_erased_again")),
    Proof("G43", "a copy holds every canary of its subject and none of others",
          ("tests/privacy/test_copies.py",)),
    Proof("G44", "erasure: canaries left in the whole estate outside the legal list",
          (f"{ENDING}/test_erasure_canaries.py",), "0 left, <= 1 h"),
    Proof("G45", "deadlines of all 1,461 receipt dates, business days and reminders",
          ("tests/privacy/test_deadlines.py",)),
    Proof("G45", "what is overdue cannot be missed",
          (f"{PROMISES}/test_demanded_by_mail.py::test_d9_an_overdue_request_cannot_be_missed",
           "tests/privacy/test_desk.py::test_reminders_go_to_whoever_has_it_and_to_all_when_it_is_overdue")),
    Proof("G46", "14 kinds of spoofed mail disclose and erase nothing",
          (f"{PROMISES}/test_demanded_by_mail.py::test_d9_fourteen_kinds_of_spoofed_mail_disclose_and_erase"
           "_nothing",)),
    Proof("G47", "no request in a backup",
          ("tests/operations/test_keeping.py::test_no_dump_holds_a_row_of_it",)),
    Proof("G49", "a substantial change waits 30 days after the last notice",
          (f"{PROMISES}/test_policy_changes.py",)),
    Proof("G50", "consent is asked for at each mail, and its record is append-only",
          ("tests/privacy/test_consent.py",)),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """How one test ended, and what it says that it measured."""

    node: str
    passed: bool
    said: str


def main() -> int:
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    warnings.simplefilter("ignore")
    import django

    django.setup()
    logging.disable(logging.INFO)
    from tests.bench.privacy_figures import Figure, Sizes, figures

    begun, missed = time.monotonic(), 0
    sizes = Sizes(options.invoices, options.events, options.rows, options.people)
    for source in (figures(sizes), proven(Figure)):
        for each in source:
            missed += not each.holds
            print(f"{each.number}  {each.what} | asked: {each.asked} | found: {each.found} |"
                  f" {'ok' if each.holds else 'NOT KEPT'}", flush=True)  # fmt: skip
    print(f"{missed} not kept; measured in {time.monotonic() - begun:.0f} s")
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=2_000, help="invoices whose entries are looked at")
    parser.add_argument("--events", type=int, default=100_000, help="events that are verified")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the copy of data")
    parser.add_argument("--people", type=int, default=1_000, help="people who are told in the breach drill")
    return parser.parse_args()


def proven(figure: "type[Figure]") -> Iterator["Figure"]:
    """Run all the tests named above, once, and tell of each line how they ended."""
    outcomes = run_tests()
    for proof in PROOFS:
        mine = [each for each in outcomes if each.node.startswith(proof.nodes)]
        unheard = [node for node in proof.nodes if not any(each.node.startswith(node) for each in mine)]
        failed = [each.node for each in mine if not each.passed]
        said = "".join(f"; {each.said}" for each in mine if each.said)
        trouble = "".join(f"; FAILED {node}" for node in failed) + "".join(f"; NO TEST {n}" for n in unheard)
        found = (
            f"{len(mine) - len(failed)} of {len(mine)} tests pass{said}{trouble} ({', '.join(proof.nodes)})"
        )
        yield figure(proof.number, proof.what, proof.asked, found, not failed and not unheard)


def run_tests() -> list[Outcome]:
    """Run what `PROOFS` names, each once, in a process of its own on this stack."""
    nodes = dict.fromkeys(node for proof in PROOFS for node in proof.nodes)
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", f"--junitxml={report}", *nodes]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not report.exists():
            raise SystemExit(f"pytest did not run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return [_outcome(case) for case in ElementTree.parse(report).getroot().iter("testcase")]


def _outcome(case: ElementTree.Element) -> Outcome:
    module, name = case.get("classname", ""), case.get("name", "")
    said = [f"{each.get('name')}: {each.get('value')}" for each in case.iter("property")]
    wrong = [child.tag for child in case if child.tag in {"failure", "error", "skipped"}]
    return Outcome(f"{module.replace('.', '/')}.py::{name}", not wrong, ", ".join(said))


if __name__ == "__main__":
    sys.exit(main())
