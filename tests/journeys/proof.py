"""Whether a tenant's books and record are whole: `python -m tests.journeys.proof SLUG`, in one process."""

import os
import sys

import django


def main(slug: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    django.setup()
    from django.core.management import call_command

    for command in ("ledger_check", "audit_verify"):
        call_command(command, tenant=slug)


if __name__ == "__main__":
    main(sys.argv[1])
