"""Logging a browser of the tests in as the product does, without the price of a password."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import Client

from accounts import sessions
from accounts.models import Session, User
from accounts.session_store import SessionStore
from tenants import clock


def enter(client: Client, user: User, **begin: Any) -> Session:
    """Begin a session of the user of the schema entered, and give the browser its cookie."""
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "testserver", "SERVER_PORT": "80"}
    request.META |= client.defaults
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    store = SessionStore(cookie.value if cookie else None)
    store.host = sessions.host_of(request)
    request.session, request.user = store, AnonymousUser()
    how: dict[str, Any] = {"methods": {"password"}, "now": clock.now()} | begin
    row = sessions.begin(request, user, **how)
    store.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = store.session_key or ""
    return row
