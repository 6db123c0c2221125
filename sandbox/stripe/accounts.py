"""Accounts: made on first sight of a key, so that every key has its own; and what is asked of an account."""

from typing import Any

from sandbox.stripe import ids, shapes
from sandbox.stripe.context import Context
from sandbox.stripe.errors import forbidden, unauthorised
from sandbox.stripe.routing import route
from sandbox.stripe.store import Account, State
from sandbox.stripe.types import Obj

_EURO = frozenset(
    [
        "AT",
        "BE",
        "CY",
        "DE",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PT",
        "SI",
        "SK",
    ]
)
_CURRENCIES = {
    "US": "usd", "GB": "gbp", "JP": "jpy", "CH": "chf", "CA": "cad", "AU": "aud", "NZ": "nzd",
    "SE": "sek", "NO": "nok",
    "DK": "dkk", "PL": "pln", "CZ": "czk", "HU": "huf", "RO": "ron", "MX": "mxn", "BR": "brl",
    "IN": "inr", "SG": "sgd",
    "HK": "hkd", "TH": "thb", "MY": "myr", "AE": "aed",
}  # fmt: skip


def open_account(
    state: State, account_id: str, *, name: str | None = None, email: str | None = None, country: str = "US"
) -> Account:
    """The account of that id, made when it is not there yet."""
    known = state.accounts.get(account_id)
    if known is not None:
        return known
    currency = "eur" if country in _EURO else _CURRENCIES.get(country, "usd")
    row = shapes.account(
        account_id, state.clock.now(), name=name, email=email, country=country, currency=currency
    )
    state.accounts[account_id] = account = Account(row)
    return account


def owner_of(state: State, key: str) -> Account:
    """The account that an API key opens. Only test keys are known here: a live key never belongs in a
    stand-in."""
    kind, _, rest = key.partition("_")
    mode, _, secret = rest.partition("_")
    if kind not in {"sk", "rk", "pk"} or mode != "test" or not secret:
        shown = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}" if len(key) > 12 else "*" * len(key)
        raise unauthorised(f"Invalid API Key provided: {shown}")
    if key in state.keys:
        if not state.keys[key]:
            raise unauthorised(f"Expired API Key provided: {key[:8]}****{key[-4:]}")
        return state.accounts[state.keys[key]]
    return open_account(state, ids.account_of_key(key))


def acting_for(state: State, platform: Account, account_id: str, key: str) -> tuple[Account, str | None]:
    """The connected account that a platform names in `Stripe-Account`, and the client id that it acts
    under."""
    if account_id == platform.id:
        return platform, None
    connected = state.accounts.get(account_id)
    for client_id in state.grants.get(account_id, ()):
        if state.platforms.get(client_id) == platform.id and connected is not None:
            return connected, client_id
    message = (
        f"The provided key '{key[:11]}***{key[-4:]}' does not have access to account '{account_id}' "
        "(or that account does not exist). Application access may have been revoked."
    )
    raise forbidden(message, "account_invalid")


@route("GET", "/v1/account")
def retrieve_own(ctx: Context, params: Obj) -> Any:
    return ctx.account.row


@route("GET", "/v1/accounts/{id}")
def retrieve(ctx: Context, params: Obj, account_id: str) -> Any:
    if account_id == ctx.account.id:
        return ctx.account.row
    return acting_for(ctx.state, ctx.account, account_id, "sk_test_")[0].row


@route("GET", "/v1/balance")
def balance(ctx: Context, params: Obj) -> Obj:
    sums: dict[tuple[bool, str], int] = {}
    for row in ctx.table("balance_transaction").rows.values():
        place = (row["available_on"] <= ctx.now, row["currency"])
        sums[place] = sums.get(place, 0) + row["net"]

    def amounts(available: bool) -> list[Obj]:
        found = {currency: amount for (ready, currency), amount in sums.items() if ready == available}
        found.setdefault(ctx.account.row["default_currency"], 0)
        return [
            {"amount": amount, "currency": currency, "source_types": {"card": amount}}
            for currency, amount in sorted(found.items())
        ]

    return {"object": "balance", "available": amounts(True), "livemode": False, "pending": amounts(False)}
