"""One API request from its headers to its answer: key, account, idempotency, faults, endpoint, expansion."""

import asyncio
import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections import deque

from sandbox.stripe import customers, events, ids, payment_intents, refunds, setup_intents, webhook_endpoints
from sandbox.stripe.accounts import acting_for, owner_of
from sandbox.stripe.context import Context
from sandbox.stripe.errors import StripeError, api_error, forbidden, rate_limited, unauthorised
from sandbox.stripe.faults import Fault, Faults
from sandbox.stripe.forms import check, decode
from sandbox.stripe.http import Request, Response
from sandbox.stripe.idempotency import Ledger, kept_body
from sandbox.stripe.listing import expand
from sandbox.stripe.routing import Route, find
from sandbox.stripe.store import Account, State
from sandbox.stripe.types import API_VERSION, Obj

# The modules whose endpoints are answered: importing them has registered their routes.
ANSWERED = (customers, events, payment_intents, refunds, setup_intents, webhook_endpoints)

_CORS = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, Stripe-Account, Stripe-Version"),
    ("Access-Control-Expose-Headers", "Request-Id"),
]


class Api:
    def __init__(self, state: State, faults: Faults, base_url: str) -> None:
        self._state = state
        self._faults = faults
        self.base_url = base_url
        self._ledger = Ledger(state)
        self.log: deque[Obj] = deque(maxlen=2000)

    async def answer(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(204, headers=list(_CORS))
        request_id = f"req_{ids.random_text(14)}"
        entry: Obj = {
            "id": request_id,
            "method": request.method,
            "path": request.path,
            "at": self._state.clock.now(),
        }
        self.log.append(entry)
        try:
            params = decode(request.body.decode() if request.method == "POST" else request.query)
            key = _key_of(request, params)
            ctx = self._context(request, params, key, request_id)
            entry["account"], entry["idempotency_key"] = ctx.account.id, ctx.idempotency_key
            response = await self._execute(request, params, ctx)
        except StripeError as failure:
            response = _failed(failure)
        except UnicodeDecodeError:
            response = _failed(
                StripeError(400, "invalid_request_error", "Invalid request: the body is not UTF-8")
            )
        entry["status"] = 0 if response.reset else response.status
        response.headers += [("Request-Id", request_id), ("Stripe-Version", _version(request)), *_CORS]
        return response

    def _context(self, request: Request, params: Obj, key: str, request_id: str) -> Context:
        own = owner_of(self._state, key)
        wanted = params.pop("_stripe_account", None) or request.header("stripe-account")
        account: Account = own
        application: str | None = None
        if wanted:
            account, application = acting_for(self._state, own, wanted, key)
        for prefix in self._state.denied.get(key, ()):
            if request.path.startswith(prefix):
                raise forbidden(
                    f"The provided key '{key[:8]}***{key[-4:]}' does not have the required "
                    f"permissions for this endpoint."
                )
        return Context(
            state=self._state,
            account=account,
            now=self._state.now(account.id),
            base_url=self.base_url,
            application=application,
            publishable=key.startswith("pk_"),
            request_id=request_id,
            idempotency_key=request.header("idempotency-key") if request.method == "POST" else None,
            version=_version(request),
        )

    async def _execute(self, request: Request, params: Obj, ctx: Context) -> Response:
        key = ctx.idempotency_key
        if key is None:
            return (await self._with_faults(request, params, ctx))[0]
        kept = self._ledger.begin(ctx.account.id, key, request.path, params)
        if kept is not None:
            headers = [
                ("Idempotency-Key", key),
                ("Idempotent-Replayed", "true"),
                ("Original-Request", "req_kept"),
            ]
            return Response(kept["status"], kept_body(kept), headers=headers)
        keep = False
        response = Response()
        try:
            response, keep = await self._with_faults(request, params, ctx)
        finally:
            if keep:
                self._ledger.finish(ctx.account.id, key, request.path, params, response.status, response.body)
            else:
                self._ledger.abandon(ctx.account.id, key)
        response.headers.append(("Idempotency-Key", key))
        return response

    async def _with_faults(self, request: Request, params: Obj, ctx: Context) -> tuple[Response, bool]:
        """The answer, and whether it is kept under the idempotency key."""
        hit = {
            fault.kind: fault
            for fault in self._faults.for_request(request.method, request.path, ctx.account.id)
        }
        await _pause(hit.get("slow"))
        if "rate_limit" in hit:
            raise rate_limited()
        if "unavailable" in hit:
            return Response(503, b"upstream connect error", "text/plain"), False
        if "reset_before" in hit:
            return Response(reset=True), False
        if "error_before" in hit:
            return _failed(api_error()), True
        response, keep = self._run(request, params, ctx)
        await _pause(hit.get("slow_after"))
        if "error_after" in hit and keep:
            return _failed(api_error()), True
        response.reset = "lost" in hit
        return response, keep

    def _run(self, request: Request, params: Obj, ctx: Context) -> tuple[Response, bool]:
        try:
            found, parts = find(request.method, request.path)
            _check_key_kind(found, ctx)
            checked = check(found.spec, params)
            answer = found.answer(ctx, checked, *parts)
            body = expand(ctx.account, answer, checked.get("expand"))
        except StripeError as failure:
            return _failed(failure), failure.kept
        return Response(200, json.dumps(body).encode()), True


def _check_key_kind(found: Route, ctx: Context) -> None:
    if ctx.publishable and not found.publishable:
        message = (
            "This API call cannot be made with a publishable API key. Please use a secret API key. "
            "You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys."
        )
        raise unauthorised(message)


async def _pause(fault: Fault | None) -> None:
    if fault is not None:
        await asyncio.sleep(fault.seconds)


def _version(request: Request) -> str:
    return request.header("stripe-version") or API_VERSION


def _failed(failure: StripeError) -> Response:
    return Response(failure.status, json.dumps(failure.body()).encode())


def _key_of(request: Request, params: Obj) -> str:
    """The API key: as a bearer token, as the user of basic authentication, or as a field of a form from the
    script."""
    scheme, _, value = (request.header("authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(value).decode().partition(":")[0]
        except (Base64Error, UnicodeDecodeError):
            raise unauthorised("Invalid basic authentication.") from None
    key = params.pop("key", None)
    if isinstance(key, str) and key:
        return key
    message = (
        "You did not provide an API key. You need to provide your API key in the Authorization "
        "header, using Bearer auth "
        "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
    )
    raise unauthorised(message)
