"""The main job over HTTP alone: every page that a browser would fetch, every form that it would send.

Of the card form the script's own calls to Stripe are made, as the browser makes them.
"""

import io
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sandbox.stack.steps.registry import World, fail, step
from sandbox.stack.visitor import Page, Visitor

SLUG, OWNER, PAYER = "walked", "nora@walked.example", "ada@walked.example"
PASSWORD = "seven tired herons wade"
CARD = {"number": "4000002500003155", "exp_month": "12", "exp_year": "2034", "cvc": "123"}  # asks the bank
PATIENCE = 5  # seconds: a public form without its script is taken from people only, and they are not as fast
TOTAL, RENEWAL = "€23.80", "€11.90"
SIGN_UP, CONNECT = "HTTP: a business signs up and logs in", "HTTP: it connects Stripe by OAuth"
SELL, BUYER = "HTTP: tax, product, price", "HTTP: customer, subscription"
RUN, MAIL = "HTTP: the run bills it", "HTTP: the mail comes, its PDF is read"
PAY, EVENT = "HTTP: the mailed link takes a card, 3-D Secure", "HTTP: the event settles the invoice"
AGAIN, PDF = "HTTP: the next period is collected by itself", "HTTP: the PDF is fetched and read"


@step(SIGN_UP)
def sign_up(world: World) -> None:
    staff = world.kept["staff"] = _visitor(world)
    home = staff.get(world.site + "/")
    page = staff.get(home.link("/sign-up/"))
    time.sleep(PATIENCE)
    log_in = staff.send(
        page, page.form("slug"), business="Walked Hosting", slug=SLUG, name="Nora Vale", email=OWNER,
        password=PASSWORD, country="DE", currency="EUR", time_zone="Europe/Berlin",
    )  # fmt: skip
    inside = staff.send(log_in, log_in.form("password"), email=OWNER, password=PASSWORD)
    if urlsplit(inside.url).path != "/manage/":
        fail(f"the log-in led to {inside.url}")


@step(CONNECT, after=(SIGN_UP,))
def connect(world: World) -> None:
    staff = world.kept["staff"]
    settings = _open(world, "settings/stripe/")
    consent = staff.get(settings.link("/connect/"))
    connected = staff.send(consent, consent.form("decision"), decision="authorize")
    connected.says("Customers can pay by card now.")


@step(SELL, after=(CONNECT,))
def sell(world: World) -> None:
    staff = world.kept["staff"]
    tax = _open(world, "settings/taxes/new/")
    staff.send(tax, tax.form("percent"), name="VAT", percent="19")
    product = _open(world, "products/new/")
    price = staff.send(product, product.form("tax_class"), name="Web hosting M")
    sold = staff.send(price, price.form("amount"), amount="10.00", setup_fee="10.00")
    sold.says("€10.00")


@step(BUYER, after=(SELL,))
def buy(world: World) -> None:
    staff = world.kept["staff"]
    page = _open(world, "customers/new/")
    customer = staff.send(
        page,
        page.form("tax_id"),
        name="Ada Lovelace",
        email=PAYER,
        address_line1="Rechenweg 1",
        city="Berlin",
    )
    page = _open(world, f"subscriptions/new/?customer={customer.url.rstrip('/').rsplit('/', 1)[1]}")
    form = page.form("price")
    offered = [value for label, value in form.choices["price"].items() if "€10.00" in label]
    if len(offered) != 1:
        fail(f"{len(offered)} prices of €10.00 are offered")
    subscribed = staff.send(page, form, price=offered[0])
    if "/subscriptions/" not in subscribed.url:
        fail(f"the subscription led to {subscribed.url}")


@step(RUN, after=(BUYER,))
def run(world: World) -> None:
    page = _open(world, "runs/")
    world.kept["staff"].send(page, page.form(action="/runs/"))
    _until(lambda: TOTAL in _open(world, "invoices/").text, f"no invoice of {TOTAL} is listed")


@step(MAIL, after=(RUN,))
def mail(world: World) -> None:
    letter = world.mail_to(PAYER)
    pdfs = [part for part in letter.iter_attachments() if part.get_content_type() == "application/pdf"]
    if len(pdfs) != 1:
        fail(f"the mail has {len(pdfs)} PDFs")
    _reads(pdfs[0].get_content(), "Walked Hosting", "Ada Lovelace", "Web hosting M", "23.80")
    body = letter.get_body(("plain",))
    text = str(body.get_content()) if body else ""
    link = re.search(rf"{re.escape(world.tenant(SLUG))}/pay/\S+", text)
    world.kept["walked_link"] = link.group() if link else fail("the mail has no pay link")


@step(PAY, after=(MAIL,))
def pay(world: World) -> None:
    payer = world.kept["payer"] = _visitor(world)
    invoice = payer.get(world.kept["walked_link"])
    invoice.says(TOTAL)
    page = payer.send(invoice, invoice.form(action="/card/"))
    frame = payer.get(page.link("/frame/")).attributes("main")
    if any(name not in {"PROE_SID", "csrftoken"} for name in payer.http.cookies):
        fail(f"cookies were set: {sorted(payer.http.cookies)}")
    intent = _confirm(payer, world.environment["STRIPE_PUBLIC_URL"], frame)
    if intent["status"] != "requires_action":
        fail(f"the card that asks the bank is {intent['status']}")
    bank = payer.get(intent["next_action"]["use_stripe_sdk"]["stripe_js"])
    payer.send(bank, bank.form("outcome"), outcome="complete")


@step(EVENT, after=(PAY,))
def settle(world: World) -> None:
    payer, link = world.kept["payer"], world.kept["walked_link"]

    def state() -> Any:  # looking asks Stripe nothing: what turns it is the event
        return payer.http.get(f"{link}status/").json()["state"]

    _until(lambda: state() == "paid", "the invoice is not paid")
    payer.get(f"{link}card/").says("Thank you.")
    if len(_paid(world)) != 1:
        fail(f"{len(_paid(world))} paid invoices are listed")


@step(AGAIN, after=(EVENT,))
def again(world: World) -> None:
    """Time goes on for this one business: a month with the jobs of production, then back to the present."""
    until = (datetime.now(UTC).date() + timedelta(days=40)).isoformat()
    world.sql("UPDATE public.tenants_tenant SET is_rehearsal = true WHERE slug = %s", SLUG)
    figures = json.loads(world.manage("rehearse", "--tenant", SLUG, "--until", until, "--json"))
    back = "UPDATE public.tenants_tenant SET is_rehearsal = false, rehearsal_now = NULL WHERE slug = %s"
    world.sql(back, SLUG)
    if figures["payments"] != {"succeeded": 2} or not figures["ledger_ok"]:
        fail(f"payments {figures['payments']}, ledger {'whole' if figures['ledger_ok'] else 'NOT whole'}")
    _open(world, "invoices/?status=paid").says(RENEWAL)


@step(PDF, after=(AGAIN,))
def read_pdf(world: World) -> None:
    paid = _paid(world)
    if len(paid) != 2:
        fail(f"{len(paid)} paid invoices are listed, not 2")
    newest = world.kept["staff"].get(f"{paid[0]}pdf/")
    _reads(newest.content, "Walked Hosting", "Ada Lovelace", "Web hosting M", "11.90")
    if "23.80" in _words(newest.content):
        fail("the second invoice bears the first one's total")
    own = world.kept["payer"].get(f"{world.kept['walked_link']}pdf/")
    _reads(own.content, "Walked Hosting", "Ada Lovelace", "23.80")


@step("HTTP: books and record are whole", after=(AGAIN,))
def prove(world: World) -> None:
    world.manage("ledger_check", "--tenant", SLUG)
    if "whole" not in world.manage("audit_verify", "--tenant", SLUG):
        fail("the audit chain is broken")


def _visitor(world: World) -> Visitor:
    visitor = Visitor()
    world.closing.append(visitor.close)
    return visitor


def _open(world: World, path: str) -> Page:
    page: Page = world.kept["staff"].get(f"{world.tenant(SLUG)}/manage/{path}")
    return page


def _paid(world: World) -> list[str]:
    """The addresses of the paid invoices, the newest first."""
    page = _open(world, "invoices/?status=paid")
    found = re.findall(r'href="(/manage/invoices/[0-9a-f-]{36}/)"', page.text)
    return [world.tenant(SLUG) + path for path in dict.fromkeys(found)]


def _confirm(payer: Visitor, stripe: str, frame: dict[str, str]) -> dict[str, Any]:
    """What Stripe's script does once the card is entered: a payment method, then the confirmation."""
    who = {"key": frame["data-key"]}
    if frame["data-account"]:
        who["_stripe_account"] = frame["data-account"]
    card = {f"card[{name}]": value for name, value in CARD.items()}
    made = payer.http.post(f"{stripe}/v1/payment_methods", data={**who, "type": "card", **card})
    secret = frame["data-secret"]
    form = {
        **who, "client_secret": secret, "use_stripe_sdk": "true", "payment_method": made.json()["id"],
        "setup_future_usage": "off_session",
    }  # fmt: skip
    answer = payer.http.post(f"{stripe}/v1/payment_intents/{secret.split('_secret_')[0]}/confirm", data=form)
    intent: dict[str, Any] = answer.json()
    return intent if answer.is_success else fail(intent["error"]["message"])


def _until(holds: Any, otherwise: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            fail(f"{otherwise} within {seconds:.0f} s")
        time.sleep(0.3)


def _words(pdf: bytes) -> str:
    from pypdf import PdfReader

    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def _reads(pdf: bytes, *expected: str) -> None:
    found = _words(pdf)
    for words in expected:
        if words not in found:
            fail(f"the PDF lacks “{words}”")
