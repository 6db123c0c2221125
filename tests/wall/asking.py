"""Asking every route on A's host as each kind of person, with the keys of others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts import closing, email_changing, recovering, visiting
from accounts.inviting import token_of
from accounts.models import EmailChange, FactorReset, Invitation, User
from accounts.passwords import tokens
from billing import pay_links
from billing.manage import uploads
from billing.manage.uploads import Upload
from billing.models import Invoice, Payment
from billing.pay import tokens as frames
from privacy import marketing
from privacy.subjects import Subject
from tenants import claiming, clock
from tenants.context import enter
from tenants.models import Host
from tenants.postgresql.base import PUBLIC
from tests import logging_in
from tests.wall import hearing
from tests.wall.cases import Case
from tests.wall.furnishing import ACTOR
from tests.wall.routes import Route
from tests.wall.twins import Twins

BACKEND = "accounts.backends.EmailBackend"


class Undo(Exception):
    """Raised to undo what a request has done."""


@dataclass
class Keys:
    """Whose keys are asked with: ids by parameter, and tokens made in the tenant that they are of."""

    ids: dict[str, UUID]
    tokens: dict[str, str]

    def of(self, route: Route, case: Case) -> dict[str, Any]:
        """What stands in the path."""
        found: dict[str, Any] = {}
        for name in route.parameters:
            if name == "invoice_id":
                found[name] = self.ids[case.invoice]
            elif name == "invitation_id":
                found[name] = self.ids[case.invitation]
            elif name in self.ids:
                found[name] = self.ids[name]
            else:
                space = route.name.partition(":")[0]
                named = (f"{route.name}:{name}", f"{space}:{name}", name)
                held = [self.tokens[each] for each in named if each in self.tokens]
                assert held, f"furnishing.py makes nothing for {name} of {route.name}"
                found[name] = held[0]
        return found

    def in_body(self, case: Case) -> dict[str, str]:
        return {name: value.format_map(self.ids) for name, value in case.body.items()}


def keys(tenant: Any, ids: dict[str, UUID], user_id: UUID) -> Keys:
    """The keys with the tokens that the tenant itself gives for them."""
    with enter(tenant):
        user = User.objects.get(pk=user_id)
        invoice = Invoice.objects.get(pk=ids["invoice_id"])
        invitation = Invitation.objects.get(pk=ids["invitation_id"])
        change, done = (EmailChange.objects.get(pk=ids[each]) for each in ("change_id", "undo_id"))
        made = {
            "privacy_version:number": "1",
            "privacy_on:day": f"{clock.now():%Y-%m-%d}",
            "hosted:token": pay_links.token_for(invoice, clock.now()),
            "accounts:invitation:token": token_of(invitation),
            "accounts:reset:token": tokens.make_token(user),
            "accounts:email_confirm:token": email_changing.token_of(change, email_changing.CONFIRM),
            "accounts:email_undo:token": email_changing.token_of(done, email_changing.UNDO),
            "accounts:keep_factors:token": recovering.token_of(FactorReset.objects.get(pk=ids["reset_id"])),
            "accounts:visit:token": signing.Signer(salt=visiting.SALT).sign_object(
                [tenant.schema_name, ids["visit_id"].hex, ""]
            ),
            "accounts:reopen:token": closing.token_of(tenant),
            "confirm_request:token": "nobody-has-it",
            "unsubscribe:token": marketing.token_of(Subject("user", str(user.pk))),
            "reference": urlsafe_base64_encode(force_bytes(user.pk)),
            "known": f"seti-{ids['customer_id'].hex}",
            "pay:frame:token": _frame(ids["payment_id"]),
            "ticket": _ticket(tenant.name),
        }
        host = Host.objects.get(tenant=tenant, is_primary=True)
        wished = claiming.claims_of(tenant) or [
            claiming.claim(f"{tenant.slug}.wall-host.example", actor=ACTOR, now=clock.now())
        ]
    return Keys(ids | {"tenant_id": tenant.pk, "host_id": host.pk, "proof_id": wished[0].pk}, made)


def _frame(payment_id: UUID) -> str:
    """What opens the card frame of this payment on the pay host."""
    payment = Payment.objects.get(pk=payment_id)
    return frames.url_of_payment(payment, page="https://wall.example/").rsplit("/", 2)[1]


def _ticket(name: str) -> str:
    """What opens the preview of files that the owner of the tenant entered has sent."""
    owner = User.objects.filter(role="owner").earliest("created_at")
    rows = f"external_id,name,email\n1,{name},{name.split()[0]}@wall.example\n".encode()
    return uploads.keep(Upload(rows, b"", (f"{name}.csv", "")), str(owner.pk))


@dataclass
class Sung:
    """Where a canary was heard that should be silent, and where the product broke."""

    twins: Twins
    heard: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)  # names of jobs
    answered: int = 0
    fine: int = 0


def client_of(twins: Twins, user_id: UUID | None) -> Client:
    """A browser on A's host, of this person of A."""
    client = Client(HTTP_HOST=f"{twins.a.slug}.{settings.SITE_HOST}", raise_request_exception=False)
    if user_id is not None:
        with enter(twins.a):
            logging_in.enter(client, User.objects.get(pk=user_id), methods={"password", "totp"})
    return client


def ask(
    client: Client,
    asked: list[tuple[Route, Case]],
    with_keys: Keys,
    silent: list[str],
    sung: Sung,
    who: str,
    urlconf: str = "proecommerce.urls",
    rarely: bool = False,
) -> None:
    """Ask each route by each method, or by those that nobody uses; its jobs are done, and all is undone."""
    schemas = [sung.twins.a.schema_name, sung.twins.b.schema_name, PUBLIC]
    known = hearing.waiting(schemas)

    def work() -> None:
        sung.failed.update(hearing.work(schemas, known))

    for route, case in asked:
        path = reverse(route.name, kwargs=with_keys.of(route, case), urlconf=urlconf)
        for method, query, body in (_rare if rarely else _requests)(case, with_keys):
            label = f"{who} {method} {route.name}"
            answer = _undone(client, method, path, query, body, work)
            sung.answered += 1
            sung.fine += answer.status_code == 200
            # 503: Stripe knows no canaries. 429: a limit answered, and what the page tells was not heard.
            if answer.status_code == 429 or (answer.status_code >= 500 and answer.status_code != 503):
                sung.broken.append(f"{label}: {answer.status_code}")
            for way, words in hearing.told(answer):
                sung.heard |= {f"{label} {way}: {canary}" for canary in silent if canary in words}


def _requests(case: Case, with_keys: Keys) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    ids = {name.removesuffix("_id"): str(value) for name, value in with_keys.ids.items()}
    yield "GET", {}, {}
    yield "GET", ids | with_keys.in_body(case), {}
    yield "POST", ids, with_keys.in_body(case)


RARE = ("DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")


def _rare(case: Case, with_keys: Keys) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    ids = {name.removesuffix("_id"): str(value) for name, value in with_keys.ids.items()}
    for method in RARE:
        yield method, ids, with_keys.in_body(case)


def _undone(
    client: Client,
    method: str,
    path: str,
    query: dict[str, str],
    body: dict[str, str],
    work: Callable[[], None],
) -> Any:
    cookies = client.cookies.output()
    answer: Any = None
    try:
        with transaction.atomic():
            if method == "GET":
                answer = client.get(path, query)
            elif method == "POST":
                answer = client.post(path, body, query_params=query)
            else:
                form = "application/x-www-form-urlencoded"
                answer = client.generic(method, path, urlencode(body), form, query_params=query)
            answer.whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
            work()
            raise Undo
    except Undo:
        pass
    if client.cookies.output() != cookies:
        client.cookies.load(cookies.replace("Set-Cookie: ", ""))
    return answer
