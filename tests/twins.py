"""The tenants that tests work in; run as a module, it puts them into the template database.

`alpha` and `beta` are the twins, whose tests are rolled back. `crowd` is nobody's: it stands for what tests
that commit leave behind on their worker, so that a test which believes itself alone in the shared tables
fails always, and not only when it comes after such a one.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

CROWD = "crowd"
BEGAN = datetime(2026, 1, 2, 12, tzinfo=UTC)
NEVER = datetime(2099, 1, 1, tzinfo=UTC)


def make(slug: str, *, name: str, country: str = "DE", currency: str = "EUR", **more: Any) -> Any:
    """Create and commit a tenant in Europe/Berlin unless told otherwise."""
    from audit.actors import Actor
    from tenants.provisioning import NewTenant, create_tenant

    choices = {"time_zone": "Europe/Berlin"} | more
    new = NewTenant(slug=slug, name=name, country=country, currency=currency, **choices)
    return create_tenant(new, actor=Actor.system("tests"), now=BEGAN)


def make_crowd() -> None:
    """A busy tenant: rows in every shared table, and nothing of it that a worker would do by itself."""
    from django.db import transaction

    from tenants.context import enter, enter_public

    crowd = make(CROWD, name="Crowd Hosting")
    with enter(crowd), transaction.atomic():
        _people_and_subscriptions()
    with enter_public(), transaction.atomic():
        _shared_rows(crowd)
        _incident(crowd.schema_name)


def _people_and_subscriptions() -> None:
    from accounts.customers import create_customer
    from audit.actors import Actor
    from billing.models import Price, Product, Subscription

    actor = Actor.system("tests")
    _logged_in("nora@lind.example", "owner")
    product = Product.objects.create(code="hosting", name="Hosting", created_at=BEGAN)
    price = Price.objects.create(
        product=product, amount=1400, currency="EUR", cycle="monthly", created_at=BEGAN
    )
    day = date(2026, 3, 1)
    for number in range(3):
        customer = create_customer(
            name="Nora Lind", email=f"nora{number}@crowd.example", country="DE", currency="EUR",
            actor=actor, now=BEGAN,
        )  # fmt: skip
        Subscription.objects.create(
            customer=customer, price=price, started_on=day, anchored_on=day, next_due_on=day, created_at=BEGAN
        )


def _logged_in(email: str, role: str) -> None:
    """Somebody with a session that has not ended."""
    from accounts.models import Session
    from accounts.people import create_user
    from audit.actors import Actor

    user = create_user(
        email=email, name="Nora Lind", role=role, password=None, actor=Actor.system("tests"), now=BEGAN
    )
    Session.objects.create(
        user=user, key_hash=f"crowd{role}", host="crowd.localhost", methods=["password"], begun_at=BEGAN,
        last_seen_at=BEGAN, ip="192.0.2.1", device="Firefox on Linux",
    )  # fmt: skip


def _shared_rows(crowd: Any) -> None:
    """Of every name a job that is done, one that waits for ever, one that runs and one that is parked."""
    from tenants.jobs import job_names
    from tenants.models import Host, HostProof, Job, Tenant, Throttle

    _logged_in("robin@crowd.example", "platform")
    Tenant.objects.filter(pk=crowd.pk).update(next_run_at=BEGAN + timedelta(days=58))
    schema = crowd.schema_name
    states: list[dict[str, Any]] = [
        {"state": "done", "done_at": BEGAN, "run_at": BEGAN},
        {"state": "waiting", "run_at": NEVER},
        {"state": "running", "attempts": 1, "run_at": BEGAN, "leased_until": NEVER},
        {"state": "parked", "attempts": 12, "run_at": BEGAN, "last_error": "Broken"},
    ]
    Job.objects.bulk_create(
        Job(schema_name=of, name=name, published_at=BEGAN, created_at=BEGAN, **state)
        for name in job_names() for of in (schema, "public") for state in states
    )  # fmt: skip
    Host.objects.create(hostname="pay.crowd.example", tenant=crowd, schema_name=schema, created_at=BEGAN)
    for hostname, state, at in (("a.crowd.example", "idle", None), ("pay.crowd.example", "proven", BEGAN)):
        HostProof.objects.create(
            hostname=hostname, tenant=crowd, schema_name=schema, token="crowd", state=state, proven_at=at,
            created_at=BEGAN, asked_at=BEGAN,
        )  # fmt: skip
    Throttle.objects.create(key="crowd", hits=[1], expires_at=NEVER)


def _incident(schema: str) -> None:
    """One that is over."""
    from privacy.models import Incident, IncidentNotice, IncidentRotation, IncidentScope

    incident = Incident.objects.create(
        title="Crowd", nature="Crowd", found_at=BEGAN, declared_at=BEGAN, declared_by="Crowd", closed_at=BEGAN
    )
    of: dict[str, Any] = {"incident": incident, "schema_name": schema}
    IncidentScope.objects.create(subject_kind="user", categories=["C1"], people=1, rows=1, **of)
    IncidentRotation.objects.create(name="sessions", done_at=BEGAN, **of)
    IncidentNotice.objects.create(subject_kind="user", subject_id="crowd", state="sent", sent_at=BEGAN, **of)


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    django.setup()
    make("alpha", name="Alpha Hosting")
    make("beta", name="Beta Domains", country="US", currency="USD", time_zone="America/New_York")
    make_crowd()
