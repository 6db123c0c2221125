"""Connect by OAuth: the page where a business agrees, the code that it brings back, the keys that the code
is worth."""

import html
import json
from base64 import b64decode
from binascii import Error as Base64Error
from urllib.parse import parse_qsl, urlencode, urlsplit

from sandbox.stripe import ids
from sandbox.stripe.accounts import open_account, owner_of
from sandbox.stripe.errors import StripeError
from sandbox.stripe.events import record_for
from sandbox.stripe.forms import decode
from sandbox.stripe.http import Request, Response
from sandbox.stripe.outbound import NotLoopbackError, loopback_address
from sandbox.stripe.pages import message_page, page
from sandbox.stripe.store import Account, State
from sandbox.stripe.types import Obj

CODE_SECONDS = 300
_ECHOED = ("client_id", "redirect_uri", "scope", "state")


def _refused(error: str, description: str, status: int = 400) -> Response:
    body = json.dumps({"error": error, "error_description": description})
    return Response(status, body.encode())


def _with(url: str, fields: dict[str, str]) -> Response:
    joint = "&" if urlsplit(url).query else "?"
    location = f"{url}{joint}{urlencode({name: value for name, value in fields.items() if value})}"
    return Response(302, headers=[("Location", location), ("Cache-Control", "no-store")])


def _fault_in(given: dict[str, str]) -> str | None:
    if not given.get("client_id", "").startswith("ca_"):
        return "No application matches the supplied client identifier."
    if given.get("response_type", "code") != "code":
        return "Only response_type=code is supported."
    if given.get("scope", "read_write") not in {"read_write", "read_only"}:
        return "Invalid scope."
    target = urlsplit(given.get("redirect_uri", ""))
    try:
        loopback_address(target.hostname or "")
    except NotLoopbackError:
        return "The redirect URI must lead to this machine (localhost, *.localhost or 127.0.0.1)."
    return (
        None if target.scheme in {"http", "https"} else "The redirect URI must be an http or https address."
    )


def authorize_page(request: Request) -> Response:
    """Ask the business to connect; it may change the name that it is known by."""
    given = dict(parse_qsl(request.query))
    fault = _fault_in(given)
    if fault is not None:
        return message_page(400, "This link does not work", fault)
    name = given.get("stripe_user[business_name]", "")
    target = urlsplit(given["redirect_uri"])
    hidden = "".join(
        f'<input type="hidden" name="{field}" value="{html.escape(given.get(field, ""))}">'
        for field in _ECHOED
    )
    return page(
        "authorize.html",
        {
            "business": name or "your business",
            "name": name,
            "email": given.get("stripe_user[email]", ""),
            "country": given.get("stripe_user[country]", "US"),
            "platform": target.hostname or "",
            "client_id": given["client_id"],
        },
        raw={"hidden": hidden},
        form_to=f"{target.scheme}://{target.netloc}",
    )


def decide(state: State, request: Request) -> Response:
    given = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    fault = _fault_in(given)
    if fault is not None:
        return message_page(400, "This link does not work", fault)
    target, back = given["redirect_uri"], given.get("state", "")
    if given.get("decision") != "authorize":
        denied = {
            "error": "access_denied",
            "error_description": "The user denied your request",
            "state": back,
        }
        return _with(target, denied)
    account = _account_for(state, given)
    code = f"ac_{ids.random_text(32)}"
    state.codes[code] = {
        "account": account.id,
        "client_id": given["client_id"],
        "scope": given.get("scope") or "read_write",
        "at": state.clock.now(),
    }
    state.dirty_misc = True
    return _with(target, {"scope": given.get("scope") or "read_write", "state": back, "code": code})


def _account_for(state: State, given: dict[str, str]) -> Account:
    """The same business gets the same account again, as someone who logs in to Stripe again does."""
    name, email = given.get("name", "").strip(), given.get("email", "").strip()
    who = f"oauth:{name.lower()}:{email.lower()}" if name or email else ids.random_text(20)
    country = given.get("country", "US").upper()[:2] or "US"
    account_id = f"acct_1{ids.derived_text(who, 15)}"
    return open_account(state, account_id, name=name or None, email=email or None, country=country)


def token(state: State, request: Request) -> Response:
    given = decode(request.body.decode(errors="replace"))
    platform = _platform(state, request, given)
    if platform is None:
        return _refused("invalid_client", "No such API key: the platform's secret key is needed", 401)
    if given.get("grant_type") != "authorization_code":
        return _refused("unsupported_grant_type", f"Unsupported grant type: {given.get('grant_type')}")
    code = state.codes.pop(str(given.get("code", "")), None)
    state.dirty_misc = True
    if code is None:
        return _refused("invalid_grant", f"Authorization code does not exist: {given.get('code')}")
    if code["at"] < state.clock.now() - CODE_SECONDS:
        return _refused("invalid_grant", f"Authorization code expired: {given.get('code')}")
    client_id = code["client_id"]
    if state.platforms.setdefault(client_id, platform.id) != platform.id:
        return _refused("invalid_grant", "Authorization code provided does not belong to you")
    account = state.accounts[code["account"]]
    state.grants.setdefault(account.id, set()).add(client_id)
    answer = _keys(state, account, client_id, code["scope"])
    application = {"id": client_id, "object": "application", "name": "Platform"}
    record_for(state, account, "account.application.authorized", application, only_connect=True)
    return Response(200, json.dumps(answer).encode(), headers=[("Cache-Control", "no-store")])


def _keys(state: State, account: Account, client_id: str, scope: str) -> Obj:
    secret = f"sk_test_oauth{ids.random_text(32)}"
    publishable = f"pk_test_oauth{ids.derived_text(account.id + client_id, 32)}"
    state.keys[secret] = state.keys[publishable] = account.id
    return {
        "access_token": secret,
        "livemode": False,
        "refresh_token": f"rt_{ids.random_text(40)}",
        "token_type": "bearer",
        "stripe_publishable_key": publishable,
        "stripe_user_id": account.id,
        "scope": scope,
    }


def deauthorize(state: State, request: Request) -> Response:
    given = decode(request.body.decode(errors="replace"))
    platform = _platform(state, request, given)
    client_id, account_id = str(given.get("client_id", "")), str(given.get("stripe_user_id", ""))
    if platform is None or state.platforms.get(client_id) != platform.id:
        return _refused("invalid_client", f"No such application: '{client_id}'", 401)
    if client_id not in state.grants.get(account_id, ()):
        description = f"This application is not connected to {account_id}, or that account does not exist."
        return _refused("invalid_client", description, 401)
    account = state.accounts[account_id]
    application = {"id": client_id, "object": "application", "name": "Platform"}
    # Told while the platform is still connected, or nobody would hear of it.
    record_for(state, account, "account.application.deauthorized", application, only_connect=True)
    state.grants[account_id].discard(client_id)
    for key, owner in state.keys.items():
        if owner == account_id and key.startswith("sk_"):
            state.keys[key] = ""
    state.dirty_misc = True
    return Response(200, json.dumps({"stripe_user_id": account_id}).encode())


def _platform(state: State, request: Request, given: Obj) -> Account | None:
    """The account whose secret key came along: as a header, or as `client_secret`."""
    scheme, _, value = (request.header("authorization") or "").partition(" ")
    key = str(given.get("client_secret") or "")
    if scheme.lower() == "bearer":
        key = value.strip()
    elif scheme.lower() == "basic":
        try:
            key = b64decode(value).decode().partition(":")[0]
        except (Base64Error, UnicodeDecodeError):
            return None
    try:
        return owner_of(state, key) if key.startswith("sk_") else None
    except StripeError:
        return None
