"""A business with invoices to be paid, made inside the site: `python -m tests.journeys.shop SLUG EMAIL…`.

One customer and one open invoice for each address; prints their pay links, one a line.
"""

import os
import sys
from datetime import UTC, datetime

import django


def main(slug: str, emails: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    django.setup()
    from billing import pay_links
    from tenants.context import enter
    from tests.billing.manage import rows
    from tests.billing.payments import standin
    from tests.twins import make

    now = datetime.now(UTC)
    with enter(make(slug, name="Sound Shop")):
        standin.connect(now)
        for email in emails:
            customer = standin.make_customer(now, email=email)
            invoice = rows.issued(customer, actor=standin.SYSTEM, now=now)
            print(pay_links.url_for(invoice, now))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
