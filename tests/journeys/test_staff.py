"""The platform's staff in a browser: a request answered, an incident worked off, the record read."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import is_accessible
from tests.journeys.conftest import Site, Watch
from tests.journeys.office import ASKS, PASSWORD
from tests.journeys.test_second_factors import _code, _looks_well
from tests.journeys.walking import mail_to, press, text_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(300)]
MINE = (
    "Dear Ms Lind, all that there is of you came from Office Hosting today, your phone number too. You see it"
    " in their portal under Privacy, and take it along there; nobody else was given any of it."
)


@dataclass(frozen=True)
class Office:
    """Where the staff work, and what they work on."""

    site: Site
    slug: str
    secret: str

    @property
    def home(self) -> str:
        return self.site.tenant(self.slug)

    def address(self, name: str) -> str:
        return f"{name}@{self.slug}.example"

    def log_in(self, page: Page) -> None:
        """Robin comes to the admin with the password and a code of the app."""
        self.site.sql("UPDATE public.accounts_totp SET last_step = 1")  # a code of this half minute counts
        page.goto(f"{self.site.url}/admin/")
        _give_password(page, self.address("robin"))
        page.get_by_label("Code from your app").fill(_code(self.secret))
        press(page, page.get_by_role("button", name="Go on"))
        expect(page.get_by_role("heading", name="Platform", exact=True)).to_be_visible()


@pytest.fixture(scope="module")
def office(site: Site) -> Office:
    slug = f"office{uuid4().hex[:8]}"
    return Office(site, slug, site.python("tests.journeys.office", slug).split()[-1])


def test_a_request_by_mail_is_taken_answered_in_own_words_and_kept(
    office: Office, watched: tuple[Page, Watch]
) -> None:
    page, watch = watched
    _confirm_by_mail(office, page)
    office.log_in(page)
    press(page, page.get_by_role("link", name="Requests about personal data").first)
    expect(page.get_by_role("heading", name=re.compile("Select request|Requests"))).to_be_visible()
    _looks_well(page, "staff-queue")
    row = page.get_by_role("row").filter(has_text=office.address("nora"))
    expect(row.get_by_text("30 days left")).to_be_visible()
    press(page, row.get_by_role("link"))

    expect(page.get_by_text("They confirmed it from the address on file")).to_be_visible()
    expect(page.get_by_role("region", name="The message")).to_contain_text(ASKS)
    expect(page.get_by_text("Nora Lind (customer of Office Hosting)")).to_be_visible()
    press(page, page.get_by_role("button", name="It is mine"))
    expect(page.get_by_text("It is yours.")).to_be_visible()

    words, send = page.get_by_label("Your words"), page.get_by_role("button", name="Send", exact=True)
    press(page, send)
    expect(page.get_by_role("alert")).to_contain_text("empty")
    words.fill(" ".join(page.locator("ul.todo li").all_inner_texts()))
    press(page, send)
    expect(page.get_by_role("alert")).to_contain_text("checklist")
    _looks_well(page, "staff-request")
    words.fill(MINE)
    page.get_by_label("This answers the request and closes it").check()
    press(page, send)
    expect(page.get_by_role("heading", name="What was written back")).to_be_visible()
    expect(page.get_by_text(MINE)).to_be_visible()
    expect(page.get_by_label("Your words")).to_have_count(0)
    assert MINE in _squeezed(_mail_saying("Dear Ms Lind", office.address("nora")))
    _reload_until(page, f"sent to {office.address('nora')}")
    _looks_well(page, "staff-answered")
    assert _violations(watch) == []


def test_an_incident_is_worked_off_to_its_record(office: Office, watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    office.log_in(page)
    press(page, page.get_by_role("link", name="Incidents", exact=True).first)
    press(page, page.get_by_role("link", name="Declare an incident"))
    _looks_well(page, "staff-declare")
    title = f"Laptop {office.slug}"
    page.get_by_label("Title").fill(title)
    page.get_by_label("Nature").fill("A laptop with an open session was stolen.")
    press(page, page.get_by_role("button", name="Declare"))
    expect(page.get_by_text(re.compile(r"7[12]\.\d hours left"))).to_be_visible()
    assert page.get_by_role("button", name="Close the incident").is_disabled()

    page.get_by_label(f"Office Hosting ({office.slug})").check()
    press(page, page.get_by_role("button", name="Find who is affected"))
    expect(page.get_by_text("2 people are affected; a notice to each is prepared.")).to_be_visible()
    _write_what_is_said(page, office)
    press(page, page.get_by_role("button", name="Publish"))
    press(page, page.get_by_role("button", name="Rotate everything now"))
    # Everybody's session ends, that of the staff who asked for it as well.
    _wait_until_logged_out(page)
    office.log_in(page)
    press(page, page.get_by_role("link", name="Incidents", exact=True).first)
    press(page, page.get_by_role("link", name=title))
    _reload_while(page, "waits for a worker")
    _replace_by_hand(page)
    page.get_by_label("What the audit log shows").fill("Nobody but us.")
    press(page, page.get_by_role("button", name="Put the review on record"))
    press(page, page.get_by_role("button", name="Send the notices"))
    for name in ("olga", "nora"):
        assert f"{title}: a laptop was stolen" in text_of(mail_to(office.address(name)))
    _reload_until(page, "2 of 2 told")

    page.get_by_label("Authority", exact=False).first.fill("HmbBfDI")
    page.get_by_label("Reference").fill("D-17")
    press(page, page.get_by_role("button", name="Put on record"))
    expect(page.get_by_text("Left to do:")).to_have_count(0)
    _looks_well(page, "staff-incident")
    press(page, page.get_by_role("button", name="Close the incident"))
    expect(page.get_by_text("Its record is kept for ever.")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the record for the authority").click()
    record = Path(waiting.value.path()).read_text()
    for said in (
        "33(3)(a)",
        "33(3)(b)",
        "33(3)(c)",
        "33(3)(d)",
        "33(5)",
        "HmbBfDI",
        "Robin Vale",
        office.slug,
    ):
        assert said in record, said
    page.goto(f"{office.site.url}/notices/")
    expect(page.get_by_text(f"{title} was stolen")).to_be_visible()
    _looks_well(page, "staff-notices")
    assert _violations(watch) == []


def test_the_record_is_read_by_the_tenants_owner_and_by_the_platforms_staff(
    office: Office, watched: tuple[Page, Watch]
) -> None:
    page, watch = watched
    page.goto(f"{office.home}/log-in/")
    _give_password(page, office.address("olga"))
    page.goto(f"{office.home}/manage/audit/")
    expect(page.get_by_text(re.compile(r"Verified up to event \d+"))).to_be_visible()
    _looks_well(page, "audit-all")
    page.get_by_label("Person", exact=True).select_option(label="Olga Ober")
    page.get_by_label("Action", exact=True).select_option(label="Customer changed")
    press(page, page.get_by_role("button", name="Show"))
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_text("1 field").click()
    expect(rows.get_by_text("+49 40 5550 1234")).to_be_visible()
    _looks_well(page, "audit-narrowed")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Export as CSV").click()
    lines = list(csv.DictReader(Path(waiting.value.path()).read_text().splitlines()))
    assert len(lines) == 1
    press(page, page.get_by_role("button", name="Check now"))
    expect(page.get_by_text("events are whole and in order")).to_be_visible()

    office.log_in(page)
    press(page, page.get_by_role("link", name="Audit events").first)
    expect(page.get_by_text(re.compile(r"Verified up to event \d+ at"))).to_be_visible()
    _looks_well(page, "platform-audit")
    press(page, page.locator("#result_list tbody th a").first)
    expect(page.get_by_text("Robin Vale").first).to_be_visible()
    _looks_well(page, "platform-event")
    assert _violations(watch) == []


def _give_password(page: Page, email: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, page.get_by_role("button", name="Log in"))


def _confirm_by_mail(office: Office, page: Page) -> None:
    """Nora follows the link that went to the address on file."""
    said = _mail_saying("/privacy/request/", office.address("nora"))
    link = re.search(rf"{re.escape(office.site.url)}/privacy/request/\S+", said)
    assert link is not None
    page.goto(link.group())
    is_accessible(page)
    press(page, page.locator("main form button").first)


def _replace_by_hand(page: Page) -> None:
    """Tick what no worker may replace, one after the other."""
    ticked, tick = 0, page.get_by_role("button", name="I have replaced it")
    while tick.count():
        page.get_by_label("What was done").fill("A new one is in use.")
        press(page, tick)
        ticked += 1
    assert ticked >= 5


def _write_what_is_said(page: Page, office: Office) -> None:
    page.get_by_label("Consequences").fill("Somebody may write to you in our name.")
    page.get_by_label("Measures").fill("All sessions were ended.")
    page.get_by_label("Mail subject").fill("Your data")
    page.get_by_label("Mail text").fill(f"Laptop {office.slug}: a laptop was stolen.")
    page.get_by_label("Public title").fill(f"Laptop {office.slug} was stolen")
    page.get_by_label("Public text").fill("It held names.")
    press(page, page.get_by_role("button", name="Keep the texts"))
    expect(page.get_by_text("The texts are kept.")).to_be_visible()


def _mail_saying(words: str, address: str) -> str:
    """The last mail to the address, once it says this."""
    for _ in range(100):
        said = text_of(mail_to(address))
        if words in said:
            return said
    raise AssertionError(f"no mail to {address} says {words}")


def _wait_until_logged_out(page: Page) -> None:
    for _ in range(100):
        page.reload()
        if "/log-in/" in page.url:
            return
        page.wait_for_timeout(300)
    raise AssertionError("the session did not end")


def _reload_until(page: Page, words: str) -> None:
    for _ in range(100):
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(300)
        page.reload()
    raise AssertionError(f"the page never said {words}")


def _reload_while(page: Page, words: str) -> None:
    for _ in range(100):
        if not page.get_by_text(words).count():
            return
        page.wait_for_timeout(300)
        page.reload()
    raise AssertionError(f"the page goes on saying {words}")


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _violations(watch: Watch) -> list[str]:
    return [line for line in watch.complaints if "Content Security Policy" in line]
