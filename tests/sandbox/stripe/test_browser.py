"""The script in a real browser: a page of another origin, under a strict policy, takes a payment."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import pytest
import stripe
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browsing import axe_findings, chromium
from tests.sandbox.stripe.conftest import StandIn

pytestmark = [pytest.mark.browser]

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pay</title>
<link rel="stylesheet" href="/page.css"><script src="{stripe}/v3/"></script>
<script src="/page.js" defer></script></head>
<body><main><h1>Pay</h1><div id="element"></div><button id="pay" disabled>Pay</button>
<p id="state" role="status"></p><p id="error" role="alert"></p></main></body></html>"""
SCRIPT = """
const given = Object.fromEntries(new URLSearchParams(location.search));
const stripe = Stripe(given.key, given.account ? {stripeAccount: given.account} : undefined);
const appearance = {theme: "stripe", variables: {colorPrimary: "#0a7"}};
const elements = stripe.elements({clientSecret: given.secret, appearance});
const element = elements.create("payment", {layout: "tabs"});
const say = (id, text) => { document.getElementById(id).textContent = text; };
element.on("ready", () => { document.getElementById("pay").disabled = false; say("state", "ready"); });
element.on("change", (event) => { document.body.dataset.complete = event.complete; });
element.on("loaderror", (event) => say("error", event.error.code));
element.mount("#element");
document.getElementById("pay").addEventListener("click", async () => {
  say("error", "");
  const checked = await elements.submit();
  if (checked.error) return say("error", checked.error.code);
  const act = given.secret.startsWith("seti_") ? "confirmSetup" : "confirmPayment";
  const confirmParams = {return_url: location.origin + "/done"};
  const result = await stripe[act]({elements, confirmParams, redirect: given.redirect || "if_required"});
  if (result.error) return say("error", result.error.decline_code || result.error.code);
  say("state", (result.paymentIntent || result.setupIntent).status);
});
"""


@pytest.fixture
def embedding(stand_in: StandIn) -> Iterator[str]:
    """A small site of its own origin that holds the element."""
    origin = stand_in.public
    policy = (
        f"default-src 'none'; script-src 'self' {origin}; frame-src {origin}; connect-src {origin}; "
        f"style-src 'self'; "
        "base-uri 'none'; form-action 'none'"
    )
    files = {
        "/page.js": ("text/javascript", SCRIPT),
        "/done": ("text/html", "<!doctype html><title>Done</title><h1>Done</h1>"),
        "/page.css": ("text/css", "main { max-width: 480px; margin: 40px auto; font-family: sans-serif; }"),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, text = files.get(self.path.partition("?")[0], ("text/html", PAGE.format(stripe=origin)))
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://pay.localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Fails the test on anything that the page or its policy complains of."""
    context = browser.new_context(viewport={"width": 420, "height": 860})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield opened
    context.close()
    # A declined card is a 402 in the network's log, and a wrong secret a 404, as they should be.
    expected = re.compile(r"Failed to load resource.* (402|404) ")
    assert [text for text in complaints if not expected.match(text)] == []


def fill(page: Page, number: str) -> FrameLocator:
    frame = page.frame_locator("iframe[title='Secure payment input frame']")
    frame.get_by_label("Card number").fill(number)
    frame.get_by_label("Expiry date").fill("1234")
    frame.get_by_label("CVC").fill("123")
    frame.get_by_label("Country").select_option("DE")
    return frame


def open_payment(page: Page, embedding: str, name: str, secret: str | None, **more: str) -> None:
    query = "&".join(
        f"{field}={value}" for field, value in {"key": f"pk_test_{name}", "secret": secret, **more}.items()
    )
    page.goto(f"{embedding}/?{query}")
    expect(page.locator("#state")).to_have_text("ready")


def new_intent(client: stripe.StripeClient, **more: Any) -> stripe.PaymentIntent:
    wish: Any = {"amount": 2599, "currency": "eur", "automatic_payment_methods": {"enabled": True}}
    return client.v1.payment_intents.create(wish | more)


def test_a_card_pays_and_the_script_marks_the_visitor(
    page: Page, embedding: str, client: stripe.StripeClient, name: str
) -> None:
    customer = client.v1.customers.create({})
    intent = new_intent(client, customer=customer.id, setup_future_usage="off_session")
    open_payment(page, embedding, name, intent.client_secret)
    frame = fill(page, "4242424242424242")
    expect(frame.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    expect(page.locator("body")).to_have_attribute("data-complete", "true")
    page.get_by_role("button", name="Pay").click()
    expect(page.locator("#state")).to_have_text("succeeded")
    paid = client.v1.payment_intents.retrieve(intent.id, {"expand": ["payment_method"]})
    assert isinstance(paid.payment_method, stripe.PaymentMethod)
    assert (paid.status, paid.payment_method.customer) == ("succeeded", customer.id)
    assert paid.payment_method.billing_details.address is not None
    assert paid.payment_method.billing_details.address.country == "DE"
    cookies = {cookie["name"]: cookie.get("domain") for cookie in page.context.cookies()}
    assert cookies == {"__stripe_mid": "pay.localhost", "__stripe_sid": "pay.localhost"}


@pytest.mark.parametrize(
    ("button", "status"), [("Complete", "succeeded"), ("Fail", "requires_payment_method")]
)
def test_three_d_secure_asks_in_a_dialog(
    page: Page, embedding: str, client: stripe.StripeClient, name: str, button: str, status: str
) -> None:
    intent = new_intent(client)
    open_payment(page, embedding, name, intent.client_secret)
    fill(page, "4000002500003155")
    page.get_by_role("button", name="Pay").click()
    dialog = page.get_by_role("dialog", name="Confirm this payment with your bank")
    expect(dialog).to_be_visible()
    bank = page.frame_locator("iframe[title='3-D Secure confirmation by your bank']")
    expect(bank.get_by_text("25.99 EUR")).to_be_visible()
    bank.get_by_role("button", name=button, exact=True).click()
    expect(dialog).to_have_count(0)
    if status == "succeeded":
        expect(page.locator("#state")).to_have_text("succeeded")
    else:
        expect(page.locator("#error")).to_have_text("payment_intent_authentication_failure")
    assert client.v1.payment_intents.retrieve(intent.id).status == status


def test_a_decline_says_why_and_another_card_then_pays(
    page: Page, embedding: str, client: stripe.StripeClient, name: str
) -> None:
    intent = new_intent(client)
    open_payment(page, embedding, name, intent.client_secret)
    fill(page, "4000000000009995")
    page.get_by_role("button", name="Pay").click()
    expect(page.locator("#error")).to_have_text("insufficient_funds")
    fill(page, "5555555555554444")
    page.get_by_role("button", name="Pay").click()
    expect(page.locator("#state")).to_have_text("succeeded")


def test_an_incomplete_form_is_explained_at_its_fields_and_sends_nothing(
    page: Page, embedding: str, client: stripe.StripeClient, name: str
) -> None:
    intent = new_intent(client)
    open_payment(page, embedding, name, intent.client_secret)
    page.get_by_role("button", name="Pay").click()
    expect(page.locator("#error")).to_have_text("incomplete_number")
    frame = page.frame_locator("iframe[title='Secure payment input frame']")
    expect(frame.get_by_text("Your card number is incomplete.")).to_be_visible()
    expect(frame.get_by_label("Card number")).to_be_focused()
    expect(frame.get_by_label("Card number")).to_have_attribute("aria-invalid", "true")
    assert client.v1.payment_intents.retrieve(intent.id).last_payment_error is None


def test_a_card_is_saved_by_a_setup_and_the_browser_is_sent_back(
    page: Page, embedding: str, client: stripe.StripeClient, name: str
) -> None:
    customer = client.v1.customers.create({})
    setup = client.v1.setup_intents.create({"customer": customer.id})
    open_payment(page, embedding, name, setup.client_secret, redirect="always")
    fill(page, "4000002500003155")
    page.get_by_role("button", name="Pay").click()
    bank = page.frame_locator("iframe[title='3-D Secure confirmation by your bank']")
    with page.expect_navigation(url=re.compile("/done")):
        bank.get_by_role("button", name="Complete").click()
    assert f"setup_intent={setup.id}" in page.url
    assert "redirect_status=succeeded" in page.url
    saved = client.v1.payment_methods.list({"customer": customer.id}).data
    later = new_intent(
        client, customer=customer.id, payment_method=saved[0].id, off_session=True, confirm=True
    )
    assert later.status == "succeeded"


def test_a_wrong_secret_is_a_load_error(
    page: Page, embedding: str, client: stripe.StripeClient, name: str
) -> None:
    intent = new_intent(client)
    page.goto(f"{embedding}/?key=pk_test_other{name}&secret={intent.client_secret}")
    expect(page.locator("#error")).to_have_text("resource_missing")
    expect(page.get_by_role("button", name="Pay")).to_be_disabled()


def test_a_connected_accounts_intent_is_paid_through_stripe_account(
    page: Page, embedding: str, stand_in: StandIn, name: str
) -> None:
    back = f"{embedding}/done"
    page.goto(
        f"{stand_in.public}/oauth/authorize?response_type=code&client_id=ca_{name}&scope=read_write&state=s9"
        f"&redirect_uri={back}&stripe_user[business_name]=Acme"
    )
    expect(page.get_by_role("heading", name="Connect Acme")).to_be_visible()
    with page.expect_navigation(url=re.compile("/done")):
        page.get_by_role("button", name="Connect account").click()
    found = re.search(r"code=(ac_\w+)", page.url)
    assert found is not None and "state=s9" in page.url
    platform = stand_in.client(f"sk_test_{name}", client_id=f"ca_{name}")
    account = str(platform.oauth.token({"grant_type": "authorization_code", "code": found[1]}).stripe_user_id)
    acting = stand_in.client(f"sk_test_{name}", account=account)
    intent = new_intent(acting)
    open_payment(page, embedding, name, intent.client_secret, account=account)
    fill(page, "4242424242424242")
    page.get_by_role("button", name="Pay").click()
    expect(page.locator("#state")).to_have_text("succeeded")
    assert acting.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_a_server_side_redirect_challenge_comes_back(
    page: Page, embedding: str, client: stripe.StripeClient
) -> None:
    intent = new_intent(
        client,
        payment_method="pm_card_authenticationRequired",
        confirm=True,
        return_url=f"{embedding}/done?x=1",
    )
    assert intent.next_action is not None and intent.next_action.redirect_to_url is not None
    page.goto(str(intent.next_action.redirect_to_url.url))
    with page.expect_navigation(url=re.compile("/done")):
        page.get_by_role("button", name="Complete").click()
    assert "x=1" in page.url and "redirect_status=succeeded" in page.url
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_every_page_and_frame_is_accessible(
    page: Page, embedding: str, stand_in: StandIn, client: stripe.StripeClient, name: str
) -> None:
    challenged = new_intent(
        client, payment_method="pm_card_authenticationRequired", confirm=True, return_url=f"{embedding}/done"
    )
    assert challenged.next_action is not None and challenged.next_action.redirect_to_url is not None
    authorize = f"{stand_in.public}/oauth/authorize?client_id=ca_{name}&redirect_uri={embedding}/done"
    addresses = [
        authorize,
        str(challenged.next_action.redirect_to_url.url),
        f"{stand_in.public}/elements/payment",
    ]
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        for address in addresses:
            page.goto(address)
            rules = [(rule["id"], rule["nodes"][0]["html"]) for rule in axe_findings(page)]
            assert [rule for rule in rules if rule[0] != "page-has-heading-one"] == [], json.dumps(rules)
