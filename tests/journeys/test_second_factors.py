"""Second factors in a browser: an app by its QR page, a backup code, a passkey of a virtual device."""

import os
import re
import time
from pathlib import Path
from typing import Any

import pyotp
import pytest
import segno
from playwright.sync_api import CDPSession, Page, expect

from tests.browsing import is_accessible
from tests.journeys.conftest import Site, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(300)]
PASSWORD = "seven tired herons wade"
MAKE_STAFF = f"""
from accounts.people import create_user
from audit.actors import Actor
from tenants import clock
from tenants.context import enter_public
with enter_public():
    create_user(email="robin@platform.example", name="Robin", role="platform", password="{PASSWORD}",
                actor=Actor.system("tests"), now=clock.now())
"""
SHOTS = os.environ.get("SHOTS")  # a folder: keep pictures of the pages there


def test_an_owner_sets_up_an_app_and_a_passkey_and_logs_in_by_each(
    site: Site, watched: tuple[Page, Watch]
) -> None:
    page, watch = watched
    slug = f"fact{os.getpid()}"
    home, email = site.tenant(slug), f"nora@{slug}.example"
    made = site.manage("create_tenant", slug, "--name", "Factor Hosting", "--owner", email)
    link = re.search(r"invitation: (\S+)", made)
    assert link is not None
    page.goto(link[1])
    page.get_by_label("Your name").fill("Nora Vale")
    page.get_by_label("password").fill(PASSWORD)
    page.get_by_role("button", name="Accept the invitation").click()
    page.wait_for_url("**/manage/")

    secret, codes = _set_up_app(page, whose=("Factor%20Hosting", f"nora%40{slug}.example"))
    _log_out(page, home)
    _by_password(page, home, email)
    # The code of this half minute has set the app up and is used: let it count as that of an earlier one.
    site.sql(f"UPDATE t_{slug}.accounts_totp SET last_step = 1")
    _looks_well(page, "second-factor")
    page.get_by_label("Code from your app").fill(_code(secret))
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/manage/")

    _log_out(page, home)
    _by_password(page, home, email)
    page.get_by_role("link", name=re.compile("backup code")).click()
    _looks_well(page, "backup-code")
    page.get_by_label("Backup code").fill(codes[3])
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/account/security/")
    expect(page.get_by_text("9 of 10 left")).to_be_visible()

    devices, device = _virtual_authenticator(page)
    page.get_by_label("What to call it").fill("my laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("my laptop")).to_be_visible()
    _looks_well(page, "security")
    _log_out(page, home)
    _looks_well(page, "log-in")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/manage/")
    page.goto(f"{home}/account/security/")
    expect(page.get_by_text("last used")).to_be_visible()

    _put_counter_back(devices, device)
    _log_out(page, home)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("This passkey does not log in here.")).to_be_visible()
    (why,) = site.sql(
        f"SELECT details->>'why' FROM t_{slug}.audit_auditevent WHERE action = 'user.factor_refused'"
    )
    assert "sign count" in why[0]

    _by_password(page, home, email)
    page.get_by_role("link", name=re.compile("backup code")).click()
    page.get_by_label("Backup code").fill(codes[5])
    page.get_by_role("button", name="Go on").click()
    page.goto(f"{home}/manage/settings/security/")
    _looks_well(page, "demand")
    page.get_by_label("Everyone who works here").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    assert watch.complaints == []
    assert "whole" in site.manage("audit_verify", "--no-store", "--tenant", slug)


def test_the_platforms_staff_set_up_an_app_before_the_admin_opens(
    site: Site, watched: tuple[Page, Watch]
) -> None:
    page, watch = watched
    site.manage("shell", "-v0", "-c", MAKE_STAFF)
    page.goto(f"{site.url}/admin/")
    page.get_by_label("E-mail address").fill("robin@platform.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/account/security/")
    page.goto(f"{site.url}/admin/tenants/tenant/")
    expect(page.get_by_text("Set up a second factor to go on")).to_be_visible()
    _looks_well(page, "platform")
    _set_up_app(page, whose=("ProEcommerce", "robin%40platform.example"), look=False)
    page.goto(f"{site.url}/admin/tenants/tenant/")
    page.get_by_role("link", name="Alpha Hosting").click()
    page.get_by_role("link", name="Lost device").click()
    expect(page.get_by_text("72 hours after you send this")).to_be_visible()
    assert [line for line in watch.complaints if "Content Security Policy" in line] == []


def _set_up_app(page: Page, *, whose: tuple[str, str], look: bool = True) -> tuple[str, list[str]]:
    page.get_by_role("link", name="Your log-in").click()
    if look:
        _looks_well(page, "security-empty")
    page.get_by_role("button", name="Set up").click()
    picture = page.get_by_role("img", name="QR code for your authenticator app")
    assert picture.evaluate("image => image.complete && image.naturalWidth > 100")
    if look:
        _looks_well(page, "app")
    secret = page.locator("#secret").inner_text().replace(" ", "")
    house, person = whose
    says = f"otpauth://totp/{house}:{person}?secret={secret}&issuer={house}"
    drawn = segno.make(says, error="m", micro=False).svg_data_uri(scale=4, border=4, light="#fff")
    assert picture.get_attribute("src") == drawn  # what an app reads from it is this, and nothing else
    page.get_by_label("Code from your app").fill(_code(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", name=re.compile("Your backup codes"))).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    if look:
        _looks_well(page, "codes")
    codes = [each.strip() for each in page.locator("#codes li").all_inner_texts()]
    assert len(codes) == 10
    page.get_by_role("link", name="I have them").click()
    expect(page.get_by_text("10 of 10 left")).to_be_visible()
    return secret, codes


def _code(secret: str) -> str:
    """The present code, not one that is about to pass."""
    left = 30 - time.time() % 30
    if left < 5:
        time.sleep(left)
    return pyotp.TOTP(secret).now()


def _by_password(page: Page, home: str, email: str) -> None:
    page.goto(f"{home}/log-in/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/log-in/second/")


def _log_out(page: Page, home: str) -> None:
    page.goto(f"{home}/manage/")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/log-in/**")


def _virtual_authenticator(page: Page) -> tuple[CDPSession, str]:
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made: dict[str, Any] = devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devices, made["authenticatorId"]


def _put_counter_back(devices: CDPSession, device: str) -> None:
    """Give the authenticator its one credential again, as a copy made at the beginning has it."""
    named = {"authenticatorId": device}
    (credential,) = devices.send("WebAuthn.getCredentials", named)["credentials"]
    devices.send("WebAuthn.clearCredentials", named)
    fields = ("credentialId", "isResidentCredential", "rpId", "privateKey", "userHandle")
    copy = {name: credential[name] for name in fields} | {"signCount": 0}
    devices.send("WebAuthn.addCredential", {**named, "credential": copy})


def _looks_well(page: Page, name: str) -> None:
    """Accessible, the fullest page by night too, and no wider than a phone."""
    for scheme in ("light", "dark") if SHOTS or name == "security" else ("light",):
        page.emulate_media(color_scheme=scheme)
        is_accessible(page)
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    wide = page.viewport_size
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}-phone.png", full_page=True)
    assert wide is not None
    page.set_viewport_size(wide)
