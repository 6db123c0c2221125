"""Connect by OAuth: consent, the code's worth, acting for the connected account, and the end of it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe
from stripe.oauth_error import InvalidClientError, InvalidGrantError

from tests.sandbox.stripe.conftest import Receiver, StandIn, pay, wait_until

BACK = "http://acme.localhost:8000/manage/stripe/return"


def consent(stand_in: StandIn, client_id: str, **fields: str) -> httpx.URL:
    form = {
        "client_id": client_id,
        "redirect_uri": BACK,
        "scope": "read_write",
        "state": "s1",
        "name": "Acme",
        **fields,
    }
    answer = httpx.post(f"{stand_in.base}/oauth/authorize", data={"decision": "authorize", **form})
    assert answer.status_code == 302
    return httpx.URL(answer.headers["location"])


@pytest.fixture
def client_id(name: str) -> str:
    return f"ca_{name}"


@pytest.fixture
def platform(stand_in: StandIn, name: str, client_id: str) -> stripe.StripeClient:
    return stand_in.client(f"sk_test_platform{name}", client_id=client_id)


def connect(
    stand_in: StandIn, platform: stripe.StripeClient, client_id: str, email: str = "a@acme.example"
) -> Any:
    code = consent(stand_in, client_id, email=email).params["code"]
    return platform.oauth.token({"grant_type": "authorization_code", "code": code})


def test_the_page_names_the_business_and_carries_the_state(
    stand_in: StandIn, platform: stripe.StripeClient
) -> None:
    params: Any = {
        "scope": "read_write",
        "state": 'x"><script>',
        "redirect_uri": BACK,
        "stripe_user": {"business_name": "Müller & Söhne", "email": "m@example.com", "country": "DE"},
    }
    url = urlsplit(platform.oauth.authorize_url(params))
    answer = httpx.get(f"{stand_in.base}{url.path}?{url.query}")
    assert answer.status_code == 200
    assert "Connect Müller &amp; Söhne" in answer.text
    assert "<script>" not in answer.text
    assert "form-action 'self' http://acme.localhost:8000" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("redirect", ["https://evil.example/", "", "javascript:alert(1)"])
def test_consent_leads_to_this_machine_only(stand_in: StandIn, client_id: str, redirect: str) -> None:
    query = {"client_id": client_id, "redirect_uri": redirect, "response_type": "code"}
    assert httpx.get(f"{stand_in.base}/oauth/authorize", params=query).status_code == 400


def test_denial_comes_back_with_the_state(stand_in: StandIn, client_id: str) -> None:
    back = consent(stand_in, client_id, decision="deny")
    assert parse_qs(back.query.decode()) == {
        "error": ["access_denied"],
        "error_description": ["The user denied your request"],
        "state": ["s1"],
    }


def test_a_connected_account_is_charged_through_the_platform(
    stand_in: StandIn, platform: stripe.StripeClient, name: str, client_id: str
) -> None:
    token = connect(stand_in, platform, client_id)
    assert (token.token_type, token.scope, token.livemode) == ("bearer", "read_write", False)
    acting = stand_in.client(f"sk_test_platform{name}", account=token.stripe_user_id)
    intent = pay(acting, application_fee_amount=100, expand=["latest_charge.balance_transaction"])
    assert intent.application == client_id
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert intent.latest_charge.balance_transaction.fee == 83 + 100
    own = stand_in.client(token.access_token)
    assert own.v1.payment_intents.retrieve(intent.id).amount == 2000
    assert own.v1.accounts.retrieve_current().id == token.stripe_user_id
    assert platform.v1.payment_intents.list().data == []
    public = {"key": token.stripe_publishable_key, "client_secret": intent.client_secret or ""}
    assert httpx.get(f"{stand_in.base}/v1/payment_intents/{intent.id}", params=public).status_code == 200


def test_a_platform_acts_for_nobody_who_did_not_agree(
    stand_in: StandIn, client: stripe.StripeClient, name: str
) -> None:
    account = client.v1.accounts.retrieve_current().id
    with pytest.raises(stripe.PermissionError) as refused:
        stand_in.client(f"sk_test_stranger{name}", account=account).v1.customers.list()
    assert refused.value.error is not None
    assert (refused.value.http_status, refused.value.error.code) == (403, "account_invalid")


def test_a_code_works_once_soon_and_for_its_platform_only(
    stand_in: StandIn, platform: stripe.StripeClient, client_id: str, name: str
) -> None:
    code = consent(stand_in, client_id).params["code"]
    platform.oauth.token({"grant_type": "authorization_code", "code": code})
    with pytest.raises(InvalidGrantError):
        platform.oauth.token({"grant_type": "authorization_code", "code": code})
    late = consent(stand_in, client_id).params["code"]
    stand_in.control("advance", seconds=301)
    with pytest.raises(InvalidGrantError, match="expired"):
        platform.oauth.token({"grant_type": "authorization_code", "code": late})
    thief = stand_in.client(f"sk_test_thief{name}", client_id=client_id)
    stolen = consent(stand_in, client_id).params["code"]
    with pytest.raises(InvalidGrantError, match="does not belong to you"):
        thief.oauth.token({"grant_type": "authorization_code", "code": stolen})


def test_the_same_business_gets_its_account_again(
    stand_in: StandIn, platform: stripe.StripeClient, client_id: str
) -> None:
    first = connect(stand_in, platform, client_id, "one@acme.example").stripe_user_id
    again = connect(stand_in, platform, client_id, "one@acme.example").stripe_user_id
    other = connect(stand_in, platform, client_id, "two@acme.example").stripe_user_id
    assert (first == again, first == other) == (True, False)


def test_the_end_of_a_connection_is_told_and_closes_the_door(
    stand_in: StandIn, platform: stripe.StripeClient, name: str, client_id: str, receiver: Receiver
) -> None:
    params: Any = {"url": receiver.url, "enabled_events": ["*"], "connect": True}
    endpoint = platform.v1.webhook_endpoints.create(params)
    token = connect(stand_in, platform, client_id, f"{name}@example.com")
    assert (
        platform.oauth.deauthorize({"stripe_user_id": token.stripe_user_id}).stripe_user_id
        == token.stripe_user_id
    )
    wait_until(lambda: len(receiver.got) == 2)
    assert sorted(receiver.types()) == ["account.application.authorized", "account.application.deauthorized"]
    headers, body = receiver.got[0]
    event = stripe.Webhook.construct_event(body, headers["stripe-signature"], str(endpoint.secret))
    assert event.account == token.stripe_user_id
    with pytest.raises(stripe.PermissionError):
        stand_in.client(f"sk_test_platform{name}", account=token.stripe_user_id).v1.customers.list()
    with pytest.raises(stripe.AuthenticationError):
        stand_in.client(token.access_token).v1.customers.list()
    with pytest.raises(InvalidClientError):
        platform.oauth.deauthorize({"stripe_user_id": token.stripe_user_id})


def test_connect_endpoints_hear_of_connected_accounts_and_ordinary_ones_of_their_own(
    stand_in: StandIn, platform: stripe.StripeClient, name: str, client_id: str, receiver: Receiver
) -> None:
    token = connect(stand_in, platform, client_id, f"{name}@example.com")
    acting = stand_in.client(f"sk_test_platform{name}", account=token.stripe_user_id)
    wish: Any = {"url": receiver.url, "enabled_events": ["customer.created"]}
    platform.v1.webhook_endpoints.create(wish | {"connect": True})
    platform.v1.webhook_endpoints.create(wish | {"url": f"{receiver.url}own"})
    through = acting.v1.webhook_endpoints.create(wish | {"url": f"{receiver.url}theirs"})
    assert through.application == client_id
    acting.v1.customers.create({"name": "theirs"})
    platform.v1.customers.create({"name": "own"})
    wait_until(lambda: len(receiver.got) == 3)
    heard = sorted(
        (event["data"]["object"]["name"], event.get("account"))
        for event in receiver.events()
        if event.get("account")
    )
    plain = sorted(event["data"]["object"]["name"] for event in receiver.events() if not event.get("account"))
    assert (heard, plain) == ([("theirs", token.stripe_user_id)], ["own", "theirs"])
