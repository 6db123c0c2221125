"""What the platform's staff have on their desk, made inside the site: `python -m tests.journeys.office SLUG`.

Robin of the platform, with an authenticator app; a business with its owner Olga and its customer Nora; and a
message of Nora's in the mailbox, which is read. Prints the secret of Robin's app.
"""

import os
import sys
from datetime import UTC, datetime
from typing import Any

import django

PASSWORD = "seven tired herons wade"
ASKS = "Under Art. 15 GDPR: please tell me what you hold about me, and where you have it from."


def main(slug: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    django.setup()
    from accounts.customers import change_customer, create_customer
    from accounts.people import create_user
    from audit.actors import Actor
    from tenants.context import enter, enter_public
    from tests.accounts.factors import with_app
    from tests.twins import make

    now = datetime.now(UTC)
    robin = f"robin@{slug}.example"
    with enter(make(slug, name="Office Hosting")):
        olga = create_user(
            email=f"olga@{slug}.example", name="Olga Ober", role="owner", password=PASSWORD,
            actor=Actor.system("tests"), now=now,
        )  # fmt: skip
        herself = Actor("user", str(olga.pk), "Olga Ober", "192.0.2.9", "Firefox")
        her: dict[str, Any] = {"actor": herself, "now": now}
        nora = create_customer(
            name="Nora Lind", email=f"nora@{slug}.example", country="DE", currency="EUR", **her
        )
        change_customer(nora, phone="+49 40 5550 1234", **her)
    with enter_public():
        user = create_user(
            email=robin, name="Robin Vale", role="platform", password=PASSWORD, actor=Actor.system("tests"),
            now=now,
        )  # fmt: skip
        secret = with_app(user, now)
    read_mail_of(slug)
    print(secret)


def read_mail_of(slug: str) -> None:
    """Put Nora's message into a folder of its own, as our mail server hands it on, and have it read."""
    from django.conf import settings

    from privacy.jobs.requests import read_mailbox
    from tenants.context import enter_public
    from tests.privacy.mails import OURS, Box, message, results

    domain, box = f"{slug}.example", Box()
    box.make()
    sender, now = f"Nora Lind <nora@{domain}>", datetime.now(UTC)
    box.put(message(sender=sender, subject="My data", text=ASKS, checked=results(domain)), at=now)
    settings.PRIVACY_IMAP_URL, settings.MAIL_AUTHSERV_ID = box.url, OURS
    with enter_public():
        read_mailbox()


if __name__ == "__main__":
    main(sys.argv[1])
