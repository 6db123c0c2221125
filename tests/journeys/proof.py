"""Whether a tenant's books and record are whole: `python -m tests.journeys.proof SLUG`, in one process."""

import os
import sys

import django


def main(slug: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    django.setup()
    from django.core.management import call_command

    call_command("ledger_check", tenant=slug)
    call_command("audit_verify", tenant=slug, store=False)


if __name__ == "__main__":
    main(sys.argv[1])
