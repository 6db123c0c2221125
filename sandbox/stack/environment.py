"""The environment variables that every part of the product is configured by, as this stack sets them."""

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox.aws import BUCKET, ERASURES, FILES
from sandbox.stack.place import ROOT, Place
from sandbox.stack.ports import Ports

# What would lead a part of this stack to somebody else's server, or to another Django project.
STRANGERS = (
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "DJANGO_SETTINGS_MODULE",
    "VIRTUAL_ENV",
)


def contract(place: Place, ports: Ports) -> dict[str, str]:
    """The variables that settings.py reads; docker-compose.yml sets the same ones."""
    known = place.secrets()
    database = f"127.0.0.1:{ports['pg']}"
    stripe = f"http://{_stripe_host()}:{ports['stripe']}"
    return {
        "DATABASE_URL": f"postgresql://proe_app:{known['PG_APP']}@{database}/proe",
        "DATABASE_OWNER_URL": f"postgresql://proe_owner:{known['PG_OWNER']}@{database}/proe",
        "BROKER_URL": f"redis://127.0.0.1:{ports['broker']}/0",
        "CACHE_URL": f"redis://127.0.0.1:{ports['cache']}/0",
        "SECRET_KEY": known["SECRET_KEY"],
        "DEBUG": "0",
        "DEMO": "1",
        "SITE_URL": f"http://localhost:{ports['web']}",
        "PAY_URL": f"http://pay.localhost:{ports['web']}",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['moto']}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SECRETS_PREFIX": "proecommerce",
        "AUDIT_BUCKET": BUCKET,
        "FILES_BUCKET": FILES,
        "ERASURE_BUCKET": ERASURES,
        "STRIPE_API_BASE": stripe,
        "STRIPE_CONNECT_BASE": stripe,
        "STRIPE_JS_URL": f"http://stripe.localhost:{ports['stripe']}/v3/",
        "STRIPE_CLIENT_ID": "ca_demoProecommerce",
        "STRIPE_SECRET_KEY": "sk_test_platformProecommerce",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_platformProecommerce",
        "STRIPE_REHEARSAL_BASE": f"http://127.0.0.1:{ports['stripe']}",
        "EMAIL_URL": f"smtp://127.0.0.1:{ports['smtp']}",
        "NEWS_EMAIL_URL": f"smtp://127.0.0.1:{ports['smtp']}",
        "DEFAULT_FROM_EMAIL": "billing@proecommerce.com",
        "PRIVACY_IMAP_URL": f"imap://demo%40example.org:demo@127.0.0.1:{ports['imap']}/Contact",
        "MAIL_AUTHSERV_ID": "mail.localhost",
        "JOB_LEASE_SECONDS": "300",
        "JOB_TICK_SECONDS": "10",
    }


def helpers(place: Place, ports: Ports) -> dict[str, str]:
    """What only tests, benches and the seed need to know of the stack; the product reads none of it."""
    known = place.secrets()
    return {
        "DEMO_DIR": str(place.folder),
        "DEMO_LOGINS": str(place.logins),
        "DATABASE_ADMIN_URL": f"postgresql://postgres:{known['PG_ADMIN']}@127.0.0.1:{ports['pg']}/postgres",
        "MAIL_WEB_URL": f"http://127.0.0.1:{ports['mailweb']}",
        "MAIL_IMAP_URL": f"imap://demo%40example.org:demo@127.0.0.1:{ports['imap']}",
        "STRIPE_PUBLIC_URL": f"http://stripe.localhost:{ports['stripe']}",
        "WEB_PORT": str(ports["web"]),
    }


def full(place: Place, ports: Ports, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a child: ours, on top of what is needed of the caller's."""
    inherited = dict(os.environ if base is None else base)
    for name in STRANGERS:
        inherited.pop(name, None)
    return {
        **inherited,
        **_process(inherited),
        **contract(place, ports),
        **helpers(place, ports),
    }


def _process(inherited: Mapping[str, str]) -> dict[str, str]:
    local = "localhost,.localhost,127.0.0.1"
    no_proxy = ",".join(filter(None, (inherited.get("no_proxy") or inherited.get("NO_PROXY"), local)))
    return {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), inherited.get("PATH", os.defpath))),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def _stripe_host() -> str:
    """Browsers know every name under .localhost; the C library of many machines does not."""
    try:
        socket.getaddrinfo("stripe.localhost", 80)
    except OSError:
        return "127.0.0.1"
    return "stripe.localhost"
