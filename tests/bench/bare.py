"""The floor of `bin/bench webhooks`: a bare Django view that checks a signature and inserts one row."""

import json
import os
from typing import Any
from urllib.parse import urlsplit

import stripe
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

_url = urlsplit(os.environ["DATABASE_OWNER_URL"])
settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _url.path.strip("/"),
            "USER": _url.username,
            "PASSWORD": _url.password,
            "HOST": _url.hostname,
            "PORT": _url.port,
            "OPTIONS": {"pool": {"min_size": 0, "max_size": 20, "timeout": 10}},
        }
    },
)


def view(request: HttpRequest) -> HttpResponse:
    body, secret = request.body, os.environ["BENCH_SECRET"]
    stripe.WebhookSignature.verify_header(body, request.headers["Stripe-Signature"], secret, 300)
    event: dict[str, Any] = json.loads(body)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.bench_inbox (external_id, type) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [event["id"], event["type"]],
        )
    return HttpResponse()


urlpatterns = [path("webhooks/stripe/", view)]
application = get_wsgi_application()
