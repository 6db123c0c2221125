"""The stand-in's objects and parameters, held to the vendor's own library and, where present, to its
fixtures."""

import importlib
import json
import os
import types
import typing
from pathlib import Path
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import httpx
import pytest
import stripe
from stripe import ListObject, StripeObject
from stripe._stripe_object import UntypedStripeObject

from sandbox.stripe import api as _routes  # noqa: F401 - registers every route
from sandbox.stripe.routing import ROUTES
from tests.sandbox.stripe.conftest import StandIn, pay, saved_card

SHARED = Path(__file__).resolve().parents[4] / "shared" / "stripe" / "fixtures3.json"
FIXTURES = Path(os.environ.get("STRIPE_FIXTURES", SHARED))
KINDS = {
    "account": stripe.Account,
    "customer": stripe.Customer,
    "payment_method": stripe.PaymentMethod,
    "setup_intent": stripe.SetupIntent,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "balance_transaction": stripe.BalanceTransaction,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "webhook_endpoint": stripe.WebhookEndpoint,
}
# What the fixtures show as filled only because a generator filled it; a key inside is not always there.
FREE_FORM = {"metadata", "data", "evidence", "previous_attributes", "capabilities", "settings"}


@pytest.fixture(scope="module")
def samples(shared_stand_in: StandIn) -> dict[str, list[Any]]:
    """Every object of one account after a busy life, as raw JSON."""
    stand_in, key = shared_stand_in, "sk_test_shapes"
    client = stand_in.client(key)
    customer, method = saved_card(client)
    client.v1.webhook_endpoints.create({"url": "http://localhost:1/", "enabled_events": ["charge.failed"]})
    paid = pay(client, method, customer=customer, description="An invoice")
    client.v1.refunds.create({"payment_intent": paid.id})
    pay(client, "pm_card_createDispute")
    pay(client, "pm_card_authenticationRequired")
    pay(client, capture_method="manual")
    client.v1.setup_intents.create(
        {
            "customer": customer,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "return_url": "http://localhost/",
        }
    )
    for token in ("pm_card_visa_chargeDeclined", "pm_card_chargeDeclinedExpiredCard"):
        with pytest.raises(stripe.CardError):
            pay(client, token)
    [account] = stand_in.control("dump", account=key).values()
    assert all(account[kind] for kind in KINDS)
    return {kind: rows if isinstance(rows, list) else [rows] for kind, rows in account.items()}


def misfits(value: Any, hint: Any, path: str) -> list[str]:
    """Where a value is not of the type that the library declares."""
    if hint is Any or isinstance(hint, typing.TypeVar):
        return []
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        tries = [misfits(value, option, path) for option in get_args(hint)]
        return [] if [] in tries else min(tries, key=len)
    if origin is Literal:
        return [] if value in get_args(hint) else [f"{path}: {value!r} is none of {get_args(hint)}"]
    if origin in (list, typing.List):  # noqa: UP006 - what the library's annotations hold
        if not isinstance(value, list):
            return [f"{path}: {value!r} is no list"]
        return [
            bad
            for index, item in enumerate(value)
            for bad in misfits(item, get_args(hint)[0], f"{path}[{index}]")
        ]
    if isinstance(hint, str | ForwardRef):
        name = hint if isinstance(hint, str) else hint.__forward_arg__
        target = getattr(stripe, name, None)
        return (
            misfits(value, target, path)
            if isinstance(target, type)
            else ([] if isinstance(value, dict) else [f"{path}: no {name}"])
        )
    plain = origin or hint
    if plain in (dict, UntypedStripeObject) or (
        isinstance(plain, type) and issubclass(plain, ListObject | UntypedStripeObject)
    ):
        return [] if isinstance(value, dict) else [f"{path}: {value!r} is no object"]
    if isinstance(plain, type) and issubclass(plain, StripeObject):
        return object_misfits(value, plain, path)
    if plain is int and isinstance(value, bool):
        return [f"{path}: {value!r} is no number"]
    return [] if isinstance(value, plain) else [f"{path}: {value!r} is no {plain.__name__}"]


def declared(cls: type) -> dict[str, Any]:
    return {
        name: hint
        for name, hint in getattr(cls, "__annotations__", {}).items()
        if get_origin(hint) is not typing.ClassVar
    }


def object_misfits(value: Any, cls: type, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no {cls.__name__}"]
    wanted = declared(cls)
    found = [
        f"{path}.{name} is missing"
        for name, hint in wanted.items()
        if name not in value and not misfits_allow_none(hint)
    ]
    for name, entry in value.items():
        if name in wanted:
            found += misfits(entry, wanted[name], f"{path}.{name}")
    return found


def misfits_allow_none(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


@pytest.mark.parametrize("kind", KINDS)
def test_objects_have_the_types_that_the_library_declares(samples: dict[str, list[Any]], kind: str) -> None:
    for row in samples[kind]:
        assert object_misfits(row, KINDS[kind], kind) == []
        assert set(row) - set(declared(KINDS[kind])) <= {"source", "refunds"}


def test_the_check_of_types_finds_what_is_wrong() -> None:
    wrong = {"id": 1, "object": "refund", "amount": "5", "currency": "eur", "created": True}
    found = object_misfits(wrong, stripe.Refund, "refund")
    assert len(found) == 3
    assert "refund.amount is missing" in object_misfits({}, stripe.Refund, "refund")


def absent(mine: Any, model: Any, path: str) -> list[str]:
    """Keys of the model that mine lacks, wherever both are objects."""
    if not isinstance(mine, dict) or not isinstance(model, dict):
        return []
    found = [f"{path}.{name}" for name in model if name not in mine]
    for name in set(mine) & set(model) - FREE_FORM:
        found += absent(mine[name], model[name], f"{path}.{name}")
    return found


@pytest.mark.skipif(not FIXTURES.exists(), reason=f"the vendor's fixtures are not at {FIXTURES}")
@pytest.mark.parametrize("kind", KINDS)
def test_objects_have_every_key_of_the_vendors_fixtures(samples: dict[str, list[Any]], kind: str) -> None:
    model = json.loads(FIXTURES.read_text())["resources"][kind]
    # The fixtures fill what is mostly null: what an error or a next action looks like is tested elsewhere.
    deeper = {
        "next_action",
        "last_payment_error",
        "last_setup_error",
        "discount",
        "three_d_secure",
        "card_present",
    }
    for row in samples[kind]:
        missing = [path for path in absent(row, model, kind) if not deeper & set(path.split("."))]
        assert missing == []


PARAMETERS = {
    ("POST", "v1/customers"): "CustomerCreateParams",
    ("POST", "v1/customers/{id}"): "CustomerModifyParams",
    ("GET", "v1/customers"): "CustomerListParams",
    ("GET", "v1/customers/search"): "CustomerSearchParams",
    ("POST", "v1/payment_methods"): "PaymentMethodCreateParams",
    ("GET", "v1/payment_methods"): "PaymentMethodListParams",
    ("POST", "v1/payment_methods/{id}"): "PaymentMethodModifyParams",
    ("POST", "v1/payment_methods/{id}/attach"): "PaymentMethodAttachParams",
    ("POST", "v1/payment_intents"): "PaymentIntentCreateParams",
    ("POST", "v1/payment_intents/{id}"): "PaymentIntentModifyParams",
    ("POST", "v1/payment_intents/{id}/confirm"): "PaymentIntentConfirmParams",
    ("POST", "v1/payment_intents/{id}/capture"): "PaymentIntentCaptureParams",
    ("POST", "v1/payment_intents/{id}/cancel"): "PaymentIntentCancelParams",
    ("GET", "v1/payment_intents"): "PaymentIntentListParams",
    ("GET", "v1/payment_intents/{id}"): "PaymentIntentRetrieveParams",
    ("GET", "v1/payment_intents/search"): "PaymentIntentSearchParams",
    ("POST", "v1/setup_intents"): "SetupIntentCreateParams",
    ("POST", "v1/setup_intents/{id}"): "SetupIntentModifyParams",
    ("POST", "v1/setup_intents/{id}/confirm"): "SetupIntentConfirmParams",
    ("POST", "v1/setup_intents/{id}/cancel"): "SetupIntentCancelParams",
    ("GET", "v1/setup_intents"): "SetupIntentListParams",
    ("GET", "v1/charges"): "ChargeListParams",
    ("POST", "v1/charges/{id}"): "ChargeModifyParams",
    ("POST", "v1/refunds"): "RefundCreateParams",
    ("GET", "v1/refunds"): "RefundListParams",
    ("POST", "v1/refunds/{id}"): "RefundModifyParams",
    ("GET", "v1/disputes"): "DisputeListParams",
    ("POST", "v1/disputes/{id}"): "DisputeModifyParams",
    ("GET", "v1/balance_transactions"): "BalanceTransactionListParams",
    ("GET", "v1/events"): "EventListParams",
    ("POST", "v1/webhook_endpoints"): "WebhookEndpointCreateParams",
    ("POST", "v1/webhook_endpoints/{id}"): "WebhookEndpointModifyParams",
    ("GET", "v1/webhook_endpoints"): "WebhookEndpointListParams",
}
# Known to the API, though a server's library never sends them, or only with an older version of the API.
SCRIPT_ONLY = {"client_secret", "allow_redisplay", "payment_method_data", "payment_method_types"}


@pytest.mark.parametrize(("method", "path"), PARAMETERS)
def test_every_parameter_is_one_that_the_library_knows(method: str, path: str) -> None:
    pattern = tuple(path.split("/"))
    found = next(entry for entry in ROUTES[method, len(pattern)] if entry.pattern == pattern)
    module = importlib.import_module("stripe.params")
    known: set[str] = set()
    for base in getattr(module, PARAMETERS[method, path]).__mro__:
        known |= set(getattr(base, "__annotations__", {}))
    assert set(found.spec) - known - SCRIPT_ONLY == set()


def test_every_route_with_parameters_is_in_the_list_above() -> None:
    """A new endpoint with parameters of its own must be held to the library, too."""
    listed = {tuple(path.split("/")) for _, path in PARAMETERS}
    loose = {
        "/".join(entry.pattern)
        for entries in ROUTES.values()
        for entry in entries
        if set(entry.spec) - {"expand"} and entry.pattern not in listed
    }
    assert loose == {
        "v1/charges/search",
        "v1/charges/{id}/refunds",
        "v1/customers/{id}/payment_methods",
        "v1/setup_attempts",
    }


def test_errors_have_the_vendors_shape(shared_stand_in: StandIn) -> None:
    form = {
        "amount": "2000",
        "currency": "eur",
        "confirm": "true",
        "payment_method": "pm_card_visa_chargeDeclined",
        "allowed_payment_method_types[]": "card",
    }
    answer = httpx.post(f"{shared_stand_in.base}/v1/payment_intents", data=form, auth=("sk_test_errors", ""))
    error = answer.json()["error"]
    assert answer.status_code == 402
    assert set(error) == {
        "advice_code", "charge", "code", "decline_code", "doc_url", "message", "network_decline_code",
        "payment_intent", "payment_method", "type",
    }  # fmt: skip
    assert error["doc_url"] == "https://stripe.com/docs/error-codes/card-declined"
    assert error["payment_intent"]["last_payment_error"]["charge"] == error["charge"]
