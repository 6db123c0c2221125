"""Attacks I1–I7, I10 and I11: text that wants to be something else, each test named by its number."""

import ast
import csv
import io
import logging
import pickle
from collections.abc import Callable
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, models
from django.test import Client

from accounts.mails import invitation_mail
from accounts.models import Customer
from accounts.people import create_user
from billing import trail_export
from billing.mails import invoice_mail
from billing.pdf import render
from privacy import packing
from privacy.letters import reply_letter
from privacy.models import ContactMessage
from proecommerce.logs import OneLine
from tenants import security_log
from tenants.caching import JsonSerializer
from tenants.context import enter_public
from tenants.message import RenderedMail
from tests import logging_in, routes
from tests.accounts.conftest import log_in
from tests.accounts.factors import SETUP
from tests.billing.documents.samples import SELLER, invoice, line, text_of
from tests.billing.portal import making
from tests.guards.source import APPS
from tests.humans import stamped

Inside = Callable[..., Client]
SQL = [
    "'", "''", '"', "\\'", "' OR '1'='1", "1; DROP TABLE accounts_user; --", "1) OR 1=1 --", "%' --", "%",
    "_", "\\", "' UNION SELECT password FROM accounts_user --", "'; SELECT pg_sleep(9) --", "$$", "id\x00",
    "(SELECT 1)", "name__password", "-password", "user__password__startswith", "ORDER BY 1", "e'\\x27'",
]  # fmt: skip
TEMPLATES = [
    "{{ 7777777*1 }}", "{% load static %}", "{{ request.session }}", "{{ settings.SECRET_KEY }}",
    "{{ ''.__class__.__mro__ }}", "${7777777*1}", "#{7777777*1}", "{0.__class__.__init__.__globals__}",
    "%(SECRET_KEY)s", "{customer.__init__.__code__}", "<%= 7777777 %>",
]  # fmt: skip
XSS = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'><svg onload=alert(1)>",
    "</title><script>",
    "javascript:alert(1)", "<a href=javascript:alert(1)>x</a>", "&lt;script&gt;", "--><script>",
    "]]><script>",
    "\u2028<script>", "<scr<script>ipt>", "{{constructor.constructor('alert(1)')()}}", "<b hx-get=/evil>",
]  # fmt: skip


def hostile_fields() -> dict[str, str]:
    """Every field of every model, and some that frameworks know, each with a value that would do harm."""
    sent = {"is_staff": "on", "is_superuser": "on", "tenant": "beta", "balance": "1", "credit": "9"}
    for label in ("accounts", "billing", "tenants", "audit", "vault"):
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.concrete_fields:
                choices = [str(value) for value, _ in field.flatchoices]
                kind = "2031-01-01" if isinstance(field, models.DateField) else "mallory"
                number = isinstance(field, models.IntegerField)
                harm = "on" if isinstance(field, models.BooleanField) else "987654" if number else kind
                sent[field.name] = sent[field.attname] = choices[-1] if choices else harm
    return sent


@pytest.fixture
def owner(tenant: Any, inside: Inside) -> Client:
    return inside(making.person("owner@alpha.example", "owner", "Olga Owner"), raise_request_exception=False)


def test_i1_no_list_search_order_or_cursor_takes_sql(owner: Client, inside: Inside, tenant: Any) -> None:
    """The corpus in every parameter of every list of the staff's, the customers' and the platform's."""
    account = making.account()
    making.invoice(account.customer, due=making.TODAY)
    contact = inside(account.user, raise_request_exception=False)
    names = ("q", "sort", "order", "o", "status", "currency", "year", "customer", "due_from",
             "action", "person",
             "kind", "subject", "cycle", "active", "after", "before", "page", "ordering", "id")  # fmt: skip
    lists = {
        owner: ["/manage/customers/", "/manage/invoices/", "/manage/subscriptions/", "/manage/products/",
                "/manage/audit/", "/manage/runs/", "/manage/"],
        contact: ["/invoices/", "/account/sessions/"],
    }  # fmt: skip
    for client, paths in lists.items():
        for path in paths:
            for words in SQL:
                answer = client.get(path, dict.fromkeys(names, words))
                assert answer.status_code == 200, (path, words)
                assert b"argon2" not in answer.content
        for words in SQL:
            assert client.get(f"/invoices/{words}/").status_code in {302, 403, 404}
    assert "Lind" in owner.get("/manage/customers/", {"q": "Lind"}).content.decode()
    assert "Lind" not in owner.get("/manage/customers/", {"q": "' OR '1'='1"}).content.decode()
    for words in ("%", "_", "%%%"):  # a wildcard is a letter
        assert "Lind &amp;" not in owner.get("/manage/customers/", {"q": words}).content.decode()
    stranger = Client(HTTP_HOST="alpha.localhost", raise_request_exception=False)
    for n, words in enumerate(SQL):
        answer = log_in(Client(HTTP_HOST="alpha.localhost", REMOTE_ADDR=f"192.0.2.{n}"), words, words)
        assert answer.status_code == 422
        assert stranger.get(f"/pay/{words}/").status_code in {404, 410}


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.long)])
def test_i1_the_admin_takes_no_lookup_that_its_lists_do_not_offer(tenant: Any, step: int) -> None:
    """The corpus dealt out to the admin's lists, which are one code; with --long all of it to each."""
    with enter_public():
        robin = create_user(
            email="r@pro.example", name="R", role="platform", password=None, actor=SETUP, now=making.NOW
        )
        client = Client(HTTP_HOST=site.SITE_HOST, raise_request_exception=False)
        logging_in.enter(client, robin, methods={"password", "totp"})
    paths = [each.path for each in routes.every() if each.name.endswith("_changelist")]
    assert len(paths) >= 5
    for at, path in enumerate(paths):
        for words in SQL[at % step :: step]:
            for name in ("q", "o", "password__startswith", "id__in", "e", words):
                assert client.get(path, {name: words}).status_code < 500, (path, name, words)


def test_i2_no_text_is_taken_for_a_template(owner: Client, tenant: Any) -> None:
    """In names, on pages, in mails and in documents: printed as it stands."""
    for words in TEMPLATES:
        sample = invoice(lines=(line(description=words),), buyer=SELLER.__class__(
            name=words, business_name=words, address_lines=(words,), country="DE"))  # fmt: skip
        mail = invoice_mail(sample)
        invited = invitation_mail(business=words, name=words, url="https://x.example/", customer=words)
        for text in (mail.text, invited.text, invited.subject):
            assert words in text
        assert site.SECRET_KEY not in mail.text + mail.html + invited.html
        assert "".join(words.split()) in "".join(text_of(render(sample)).split())
    customer = making.customer(business_name=TEMPLATES[0] + TEMPLATES[4] + TEMPLATES[7])
    page = owner.get(f"/manage/customers/{customer.pk}/").content.decode()
    assert "{{ 7777777*1 }}" in page and "{0.__class__" in page
    assert site.SECRET_KEY not in page


def test_i3_no_text_becomes_a_part_of_a_page_or_a_mail(owner: Client, inside: Inside, tenant: Any) -> None:
    """In every text that customers write, as the portal, the staff, mails and documents show it."""
    for words in XSS:
        Customer.objects.all().update(external_id=None)
        account = making.account(
            f"x{len(words)}.{abs(hash(words))}@x.example", name=words, business_name=words, city=words[:90],
            address_line1=words, state=words[:90], postal_code=words[:20], phone=words[:30],
            tax_id=words[:30],
        )  # fmt: skip
        account.user.name = words
        account.user.save(update_fields=["name"])
        bill = making.invoice(
            account.customer, due=making.TODAY, lines=((words, 100),), note=words,
            buyer={"name": words, "business_name": words, "country": "DE"},
        )  # fmt: skip
        contact = inside(account.user)
        pages = [contact.get(path) for path in ("/", "/details/", "/team/", f"/invoices/{bill.pk}/")]
        ours = (f"customers/{account.customer.pk}/", f"invoices/{bill.pk}/", "customers/", "audit/")
        pages += [owner.get(f"/manage/{path}") for path in ours]
        for page in pages:
            assert page.status_code == 200
            unharmed(page.content.decode(), words)
            assert "unsafe" not in page["Content-Security-Policy"]
        sample = invoice(lines=(line(description=words),))
        unharmed(invoice_mail(sample).html, words)
        unharmed(invitation_mail(business=words, name=words, url="https://x.example/").html, words)


def test_i3_no_text_of_the_contact_form_becomes_a_part_of_the_staffs_pages_or_of_the_answer(db: None) -> None:
    """From a stranger, through the form itself, before the eyes of the platform's staff."""
    robin = Client(HTTP_HOST=site.SITE_HOST)
    with enter_public():
        staff = create_user(
            email="r@pro.example", name="R", role="platform", password=None, actor=SETUP, now=making.NOW
        )
        logging_in.enter(robin, staff, methods={"password", "totp"})
    for number, words in enumerate(XSS):
        stranger = Client(HTTP_HOST=site.SITE_HOST, REMOTE_ADDR=f"203.0.113.{number}")
        address = f"x{number}@x.example"
        written = {"name": words, "business": words, "email": address, "text": f"{words} {words}"}
        sent = stranger.post("/contact/", written | stamped("contact", work=False))
        assert sent.status_code == 302, words
        with enter_public():
            message = ContactMessage.objects.get(email=address)
        answer_page = f"/admin/privacy/contactmessage/{message.pk}/answer/"
        pages = [robin.get("/admin/privacy/contactmessage/"), robin.get(answer_page),
                 robin.get("/admin/privacy/contactmessage/", {"q": words}),
                 robin.post(answer_page, {"text": words}, follow=True)]  # fmt: skip
        for page in pages:
            assert page.status_code == 200
            unharmed(page.content.decode(), words)
        with enter_public():
            reply = message.replies.get()
            unharmed(reply_letter(name=words, text=reply.text, asked=message.text, day=words).html, words)


def unharmed(page: str, words: str) -> None:
    """What was written stands in the page as text, if it stands there."""
    low = page.lower()
    for wrong in ("<script>alert", "<img src=x", "<svg onload", "<a href=javascript:", 'href="javascript:',
                  "<b hx-get", "<scr<"):  # fmt: skip
        assert wrong not in low, words
    if "<" in words:
        assert words not in page


@pytest.mark.parametrize("url", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,<script>",
                                 "vbscript:x",
                                 " javascript:x", "java\nscript:x"])  # fmt: skip
def test_i4_no_address_runs(tenant: Any, browser: Any, people: Any, inside: Inside, url: str) -> None:
    """In `next`, wherever it is taken, and in what a tenant says of its own addresses."""
    user = people()
    assert log_in(browser(), next=url)["Location"] == "/manage/"
    client = inside(user)
    for path in ("/log-in/", "/account/confirm/"):
        page = browser().get(path, {"next": url, "confirm_url": url}, follow=True).content.decode().lower()
        page += client.get(path, {"next": url}).content.decode().lower()
        assert "javascript:" not in page and "data:text" not in page and "vbscript:" not in page, path
    form = {"business_name": "Alpha", "country": "DE", "email": "a@alpha.example", "website": url}
    client.post("/manage/settings/", form)
    shown = client.get("/manage/settings/").content.decode().lower()
    assert f'href="{url.lower()}' not in shown
    assert client.post("/manage/settings/hosts/", {"hostname": url}).status_code == 422


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=cmd|" /C calc"!A0', "=HYPERLINK(1)"]


def test_i5_no_cell_that_is_read_is_worked_out_and_none_is_written(owner: Client, tenant: Any) -> None:
    """Formulas in imported files are text. Who writes a CSV is known: for spreadsheets, with none in it."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow("external_id,name,email,phone,address_line1,city,state,postal_code,country,tax_id,currency"
                  .split(","))  # fmt: skip
    rows.writerows(
        [f"C-{n}", words, f"c{n}@x.example", "", "", "Kiel", "", "", "DE", "", "EUR"]
        for n, words in enumerate(FORMULAS)
    )
    sent = owner.post("/manage/import/", {"customers": SimpleUploadedFile("c.csv", out.getvalue().encode())})
    page = owner.get(sent["Location"]).content.decode()
    assert "HYPERLINK(1)" in page and "&quot; /C calc&quot;" in page
    owner.post(sent["Location"])
    for name in Customer.objects.filter(external_id__startswith="C-").values_list("name", flat=True):
        assert name.strip() in {each.strip() for each in FORMULAS}
    writers = [
        path
        for folder in APPS
        for path in (Path(site.BASE_DIR) / folder).rglob("*.py")
        if "csv.writer" in path.read_text()
        or "DictWriter" in path.read_text()
        or '"text/csv"' in path.read_text()
        or "csv_line(" in path.read_text()
    ]
    # The record, for spreadsheets. Copies of data are exact instead: what people take along is what was held,
    # and other programs read it. Their README says what a spreadsheet would do with it.
    copies = {"plain.py", "packing.py"}
    assert {path.name for path in writers} == {"trail_export.py"} | copies
    caution = " ".join(packing.README.split())
    assert (
        "Some may begin with = + - or @, which spreadsheet programs take for formulas. Do not open" in caution
    )
    harmless = [trail_export._harmless(each) for each in FORMULAS]
    assert [each for each in harmless if each.startswith(trail_export.FORMULA)] == []


BREAKS = [
    "a\r\nBcc: evil@evil.example",
    "a\nX: y",
    "a\r\n\r\n<script>",
    "a\x00b",
    "a\u2028Bcc: x",
    "a\x85b: c",
    "a\x0bb",
]


@pytest.mark.parametrize("words", BREAKS)
def test_i6_no_line_break_gets_into_a_header_a_subject_a_session_or_a_file_name(
    tenant: Any, owner: Client, people: Any, words: str
) -> None:
    mail = invitation_mail(business=words, name=words, url="https://x.example/")
    for text in (mail.subject, mail.from_name):
        assert text.isprintable() or not any(ord(each) < 32 for each in text)
        assert "\n" not in text and "\r" not in text and "\u2028" not in text
    with pytest.raises(ValueError):
        RenderedMail(subject=f"x{words}", text="x", html="x")
    assert message_from_string(f"Subject: {mail.subject}\n\nx")["Bcc"] is None
    people()
    bill = making.invoice(making.customer(), due=making.TODAY)
    sent = words.encode().decode("latin-1")  # as a server hands on what is in a header
    client = Client(HTTP_HOST="alpha.localhost", HTTP_USER_AGENT=sent, HTTP_REFERER=sent)
    answers = [log_in(client, next=words), client.get("/", {"next": words}),
               owner.get(f"/manage/invoices/{bill.pk}/pdf/", {"name": words}),
               owner.post("/manage/customers/new/", {"name": words, "email": words}),
               client.get(f"/nothing/{words}/"), client.get("/account/sessions/")]  # fmt: skip
    for answer in answers:
        assert answer.status_code < 500
        for name, value in answer.headers.items():
            assert "\n" not in name + value and "\r" not in name + value
            assert name.lower() not in {"bcc", "x"}
    planted = Client(HTTP_HOST="alpha.localhost", HTTP_COOKIE=f"PROE_SID=x{sent}user=1")
    assert planted.get("/account/sessions/").status_code in {302, 400}


def test_i7_no_line_of_the_security_log_is_forged(tenant: Any) -> None:
    """What a caller may choose can neither begin a line nor stand where the address does."""
    from django.test import RequestFactory

    from tests.attacks.test_log_in import fail2ban_expression

    forged = (
        "2026-11-24 23:40:01,123 WARNING proecommerce.security "
        'event=login_failed ip=9.9.9.9 network=9.9.9.9 host="x"'
    )
    conf = Path(site.BASE_DIR) / "deploy" / "fail2ban" / "filter.d" / "proecommerce.conf"
    expression, stream = fail2ban_expression(conf.read_text()), io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine("{asctime} {levelname} {name} {message}", style="{"))
    logging.root.addHandler(handler)
    try:
        for start in ("", "\n", "\r\n", "\u2028", "\x85", "\x0b", '" ', '\\" ', "%0a", "x\x00\n"):
            text = f"{start}{forged}"
            logging.getLogger("django.request").warning("Not Found: %s", text)
            request = RequestFactory().post(
                "/", HTTP_USER_AGENT=text, HTTP_HOST=text, REMOTE_ADDR="192.0.2.1"
            )
            request.path = f"/{text}"
            security_log.note(request, "login_failed", reason=text)
            security_log.note(request, "form_refused", form=text)
    finally:
        logging.root.removeHandler(handler)
    found = [hit["ip"] for each in stream.getvalue().split("\n") if (hit := expression.search(each))]
    assert found == ["192.0.2.1"] * 10


def test_i10_nothing_that_is_read_is_run(tenant: Any, tmp_path: Path) -> None:
    """No unpickling, no unsafe loader in the product; a forged pickle in the cache is refused."""

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    with pytest.raises(ValueError):
        JsonSerializer().loads(pickle.dumps(Bomb()))
    from celery import current_app

    assert current_app.conf.accept_content == ["json"]
    assert not (tmp_path / "ran").exists()
    wrong = {"pickle", "marshal", "shelve", "dill", "jsonpickle", "cloudpickle"}
    for folder in ("accounts", "billing", "proecommerce", "tenants", "audit", "vault"):
        for path in (Path(site.BASE_DIR) / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    assert not {each.name.split(".")[0] for each in node.names} & wrong, path
                if isinstance(node, ast.ImportFrom):
                    assert (node.module or "").split(".")[0] not in wrong, path


def test_i11_no_entity_of_a_picture_is_resolved(owner: Client) -> None:
    """XML entities: of a file, of an address, and a billion of one."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">&x;</svg>'
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    for declared in ("<!ENTITY x SYSTEM 'file:///etc/passwd'>", "<!ENTITY x SYSTEM 'http://169.254.169.254/'>",
                     f'<!ENTITY l0 "ha">{laughs}<!ENTITY x "&l8;">'):  # fmt: skip
        for text in (
            f"<!DOCTYPE svg [{declared}]>{svg}",
            f"<?xml version='1.0'?><!DOCTYPE svg [{declared}]>{svg}",
        ):
            for data in (text.encode(), text.encode("utf-16")):
                logo = SimpleUploadedFile("logo.svg", data, "image/svg+xml")
                answer = owner.post("/manage/settings/brand/", {"brand_colour": "#aa0000", "logo": logo})
                assert answer.status_code == 422
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM billing_billingsettings WHERE logo IS NOT NULL")
        assert cursor.fetchone() == (0,)
