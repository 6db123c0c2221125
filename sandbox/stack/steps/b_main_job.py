"""The main job in a browser: sign up, connect Stripe, sell, bill, mail, pay with 3-D Secure."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.stack.steps.registry import World, fail, skip, step

PASSWORD = "seven tired herons wade"
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.localhost 127.0.0.1",
)  # fmt: skip
SLUG = "checked"


@step("Chromium is there")
def chromium(world: World) -> None:
    from sandbox.stack.suite import find_installed_browser

    path = find_installed_browser()
    if path is None:
        skip("no Chromium on this machine; the same is walked over HTTP below")
    from playwright.sync_api import sync_playwright

    playwright = sync_playwright().start()
    world.closing.append(playwright.stop)
    browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
    world.closing.append(browser.close)
    world.kept["browser"] = browser
    world.kept["page"] = _fresh_page(world)


@step("a business signs up", after=("Chromium is there",))
def sign_up(world: World) -> None:
    page = world.kept["page"]
    page.goto(f"{world.site}/sign-up/")
    for name, value in (
        ("business", "Checked Hosting"),
        ("slug", SLUG),
        ("name", "Nora Vale"),
        ("email", "nora@checked.example"),
        ("password", PASSWORD),
    ):
        page.fill(f"[name={name}]", value)
    for name, value in (("country", "DE"), ("currency", "EUR"), ("time_zone", "Europe/Berlin")):
        page.select_option(f"[name={name}]", value)
    page.locator("main form button").last.click()
    page.wait_for_url(f"{world.tenant(SLUG)}/log-in/**")
    page.fill("[name=email]", "nora@checked.example")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/manage/")


@step("it connects its Stripe account", after=("a business signs up",))
def connect(world: World) -> None:
    page = world.kept["page"]
    page.goto(f"{world.tenant(SLUG)}/manage/settings/stripe/")
    words = re.compile("Connect")
    page.get_by_role("link", name=words).or_(page.get_by_role("button", name=words)).first.click()
    page.get_by_role("button", name="Connect account").click()
    page.get_by_text("Customers can pay by card now.").wait_for()


@step("product, price, customer, subscription", after=("it connects its Stripe account",))
def sell(world: World) -> None:
    page, home = world.kept["page"], world.tenant(SLUG)
    page.goto(f"{home}/manage/products/new/")
    page.fill("[name=name]", "Web hosting M")
    _save(page)
    page.fill("[name=amount]", "10.00")
    _save(page)
    page.goto(f"{home}/manage/customers/new/")
    for name, value in (("name", "Ada Lovelace"), ("email", "ada@checked.example"), ("city", "Berlin")):
        page.fill(f"[name={name}]", value)
    _save(page)
    page.wait_for_url(re.compile(r"/manage/customers/[0-9a-f-]{36}/$"))
    customer = page.url.rstrip("/").rsplit("/", 1)[1]
    page.goto(f"{home}/manage/subscriptions/new/?customer={customer}")
    option = page.locator("[name=price] option", has_text="€10.00").get_attribute("value")
    page.select_option("[name=price]", option)
    _save(page)
    page.wait_for_url(re.compile(r"/manage/subscriptions/[0-9a-f-]{36}/$"))


@step("the run bills it; the mail comes with its PDF", after=("product, price, customer, subscription",))
def bill(world: World) -> None:
    page = world.kept["page"]
    page.goto(f"{world.tenant(SLUG)}/manage/runs/")
    page.get_by_role("button", name=re.compile("Run now")).click()
    mail = world.mail_to("ada@checked.example")
    if not [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]:
        fail("the mail has no PDF")
    body = mail.get_body(("plain",))
    link = re.search(rf"{re.escape(world.tenant(SLUG))}/pay/\S+", str(body.get_content()) if body else "")
    world.kept["link"] = link.group() if link else fail("the mail has no pay link")


@step(
    "the customer pays with 3-D Secure, saves the card",
    after=("the run bills it; the mail comes with its PDF",),
)
def pay(world: World) -> None:
    page = _fresh_page(world)
    page.goto(world.kept["link"])
    words = re.compile("Pay")
    page.get_by_role("button", name=words).or_(page.get_by_role("link", name=words)).first.click()
    frame = page.frame_locator("iframe.card-frame")
    element = frame.frame_locator("iframe[title='Secure payment input frame']")
    element.get_by_label("Card number").fill("4000 0025 0000 3155")
    element.get_by_label("Expiry date").fill("12 / 34")
    element.get_by_label("CVC").fill("123")
    frame.get_by_label(re.compile("Save this card")).check()
    frame.get_by_role("button", name=re.compile("Pay")).click()
    bank = frame.frame_locator("iframe[title='3-D Secure confirmation by your bank']")
    bank.get_by_role("button", name="Complete").click()
    page.locator("#paying[data-state=paid]").wait_for(timeout=30_000)
    names = {cookie["name"] for cookie in page.context.cookies(world.tenant(SLUG))}
    if not names <= {"PROE_SID", "csrftoken"}:
        fail(f"cookies on the tenant's host: {sorted(names)}")


@step("the books and the record are whole", after=("the customer pays with 3-D Secure, saves the card",))
def prove(world: World) -> None:
    for command in ("ledger_check", "audit_verify"):
        world.manage(command)


@step("another tenant lives two months, paid by saved cards")
def rehearse(world: World) -> None:
    world.manage(
        "create_tenant", "rehearsed", "--name", "Rehearsed", "--owner", "olga@rehearsed.example",
        "--country", "US", "--currency", "USD", "--rehearsal",
    )  # fmt: skip
    folder = Path(world.environment["DEMO_DIR"])
    today = datetime.now(UTC).date()
    customers, subscriptions = folder / "customers.csv", folder / "subscriptions.csv"
    customers.write_text(
        "external_id,name,email,phone,address_line1,city,state,postal_code,country,tax_id,currency\n"
        "C-1,Grace Hopper,grace@rehearsed.example,,1 Navy Way,Arlington,Virginia,22201,US,,USD\n"
    )
    subscriptions.write_text(
        "external_id,customer_external_id,product_code,product_name,cycle,currency,unit_amount,quantity,"
        "started_on,next_due_on\n"
        f"S-1,C-1,hosting-m,Web hosting M,monthly,USD,9.95,1,{today},{today}\n"
    )
    world.manage(
        "import_csv", "--tenant", "rehearsed", "--customers", str(customers),
        "--subscriptions", str(subscriptions),
    )  # fmt: skip
    until = (today + timedelta(days=45)).isoformat()
    printed = world.manage(
        "rehearse", "--tenant", "rehearsed", "--from", today.isoformat(), "--until", until,
        "--autopay", "succeed",
    )  # fmt: skip
    if "2 succeeded" not in printed or "all agrees" not in printed:
        fail(printed.strip().splitlines()[-2])


def _fresh_page(world: World) -> Any:
    context = world.kept["browser"].new_context()
    context.set_default_timeout(20_000)
    world.closing.append(context.close)
    return context.new_page()


def _save(page: Any) -> None:
    with page.expect_navigation():
        page.locator("main form button.primary").click()
