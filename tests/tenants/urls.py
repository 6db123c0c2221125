"""Pages that say where they ran: for the tests of hosts and of code that outlives its request."""

import json
from collections.abc import Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

from tests.tenants.looking import where

later: list[tuple[str, str]] = []


def plain(request: HttpRequest) -> HttpResponse:
    return JsonResponse(where(), safe=False)


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        yield json.dumps(where())

    return StreamingHttpResponse(body())


def on_commit(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        transaction.on_commit(lambda: later.append(where()))
    return HttpResponse("ok")


def broken(request: HttpRequest) -> HttpResponse:
    where()
    raise RuntimeError("broken")


async def asynchronous(request: HttpRequest) -> HttpResponse:
    return JsonResponse(await sync_to_async(where)(), safe=False)


async def in_another_thread(request: HttpRequest) -> HttpResponse:
    found: Any = await sync_to_async(where, thread_sensitive=False)()
    return JsonResponse(found, safe=False)


urlpatterns = [
    path("", plain),
    path("streamed", streamed),
    path("on-commit", on_commit),
    path("broken", broken),
    path("asynchronous", asynchronous),
    path("in-another-thread", in_another_thread),
]
