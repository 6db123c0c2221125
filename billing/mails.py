"""What the mails about an invoice say: pure, in the business's name and brand, in the customer's language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import css_inline
from django.template import Context, Engine

from billing.colours import brand
from billing.documents import InvoiceDocument
from billing.mail_labels import MailLabels, decline_reason, mail_labels_for
from billing.money import Money
from billing.text import clean_line, file_stem
from billing.wording import Wording
from tenants.message import Attachment, RenderedMail, one_line, subject_line

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    """A mail before it is laid out. `headline` is the amount at stake; `button` a label and its address."""

    subject: str
    headline: str
    paragraphs: Sequence[str]
    facts: Sequence[tuple[str, str]]
    button: tuple[str, str] | None = None
    after: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Voice:
    """The words that a document's mails are made of."""

    document: InvoiceDocument
    wording: Wording
    mail: MailLabels
    seller: str
    number: str

    @classmethod
    def of(cls, document: InvoiceDocument) -> "_Voice":
        wording = Wording.of(document.locale)
        return cls(
            document,
            wording,
            mail_labels_for(wording.labels.language),
            clean_line(document.seller.title),
            clean_line(document.number),
        )

    @property
    def due(self) -> str:
        return self.wording.money(self.document.amount_due)

    def facts(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        labels = self.wording.labels
        due = self.document.due_date
        rows = [(labels.number, self.number), (labels.due, self.wording.day(due) if due else ""), *more]
        return [(label, value) for label, value in rows if value]

    @property
    def pay_link(self) -> tuple[str, str] | None:
        """The button that pays; none where nothing is to be paid."""
        label = self.mail.pay_button.format(amount=self.due)
        return self.link(label, self.document.pay_url) if self.document.payable else None

    def link(self, label: str, url: str) -> tuple[str, str] | None:
        if not url:
            return None
        if urlsplit(url).scheme not in {"https", "http"} or url != one_line(url):
            raise ValueError("a mail links to web addresses only")
        return label, url


def invoice_mail(
    document: InvoiceDocument,
    *,
    pdf: bytes | None = None,
    autopay_card: str = "",
    autopay_on: date | None = None,
) -> RenderedMail:
    """An invoice that was issued, to be paid by the document's pay link, or by itself when autopay is on."""
    voice = _Voice.of(document)
    mail, amount = voice.mail, voice.due
    if document.due_date:
        lead = mail.invoice_lead_due.format(
            number=voice.number, amount=amount, date=voice.wording.day(document.due_date)
        )
    else:
        lead = mail.invoice_lead.format(number=voice.number, amount=amount)
    autopay = ""
    if autopay_card and autopay_on:
        autopay = mail.invoice_autopay.format(
            amount=amount, card=clean_line(autopay_card), date=voice.wording.day(autopay_on)
        )
    letter = _Letter(
        subject=mail.invoice_subject.format(number=voice.number, seller=voice.seller),
        headline=amount,
        paragraphs=[lead, autopay],
        facts=voice.facts(),
        button=voice.pay_link,
        after=[mail.invoice_attached if pdf else ""],
    )
    return _rendered(voice, letter, pdf)


def payment_failed_mail(
    document: InvoiceDocument, *, decline_code: str = "", card: str = "", next_attempt: date | None = None
) -> RenderedMail:
    """A collection that failed: why, what comes next, how to pay otherwise. `decline_code` is Stripe's."""
    voice = _Voice.of(document)
    mail, amount = voice.mail, voice.due
    lead = mail.failed_lead_card if card else mail.failed_lead
    retry = mail.failed_no_retry
    if next_attempt:
        retry = mail.failed_retry.format(date=voice.wording.day(next_attempt))
    letter = _Letter(
        subject=mail.failed_subject.format(number=voice.number),
        headline=amount,
        paragraphs=[
            lead.format(number=voice.number, amount=amount, card=clean_line(card)),
            decline_reason(decline_code, mail.language),
            retry,
        ],
        facts=voice.facts(),
        button=voice.pay_link,
    )
    return _rendered(voice, letter)


def authentication_required_mail(document: InvoiceDocument, *, confirm_url: str) -> RenderedMail:
    """The bank wants the customer's word for an off-session payment: the link to finish it."""
    voice = _Voice.of(document)
    mail, amount = voice.mail, voice.due
    letter = _Letter(
        subject=mail.confirm_subject.format(number=voice.number),
        headline=amount,
        paragraphs=[mail.confirm_lead.format(number=voice.number, amount=amount), mail.confirm_why],
        facts=voice.facts(),
        button=voice.link(mail.confirm_button, confirm_url),
    )
    return _rendered(voice, letter)


def receipt_mail(
    document: InvoiceDocument, *, paid: Money, paid_on: date, card: str = "", pdf: bytes | None = None
) -> RenderedMail:
    """Money has come in. `document` is the invoice as it stands after the payment."""
    voice = _Voice.of(document)
    mail, amount, day = voice.mail, voice.wording.money(paid), voice.wording.day(paid_on)
    open_ = document.payable
    rest = mail.receipt_remaining.format(amount=voice.due) if open_ else mail.receipt_settled
    letter = _Letter(
        subject=mail.receipt_subject.format(number=voice.number),
        headline=amount,
        paragraphs=[
            mail.receipt_lead.format(number=voice.number, amount=amount, date=day),
            mail.receipt_card.format(card=clean_line(card)) if card else "",
            rest,
        ],
        facts=[(voice.wording.labels.number, voice.number), (voice.wording.labels.paid_on, day)],
        button=voice.pay_link,
        after=[(mail.invoice_attached if open_ else mail.receipt_attached) if pdf else ""],
    )
    return _rendered(voice, letter, pdf)


@cache
def _engine(autoescape: bool) -> Engine:
    return Engine(dirs=[str(_TEMPLATES)], autoescape=autoescape)


@cache
def _inliner() -> css_inline.CSSInliner:
    # Media rules (dark mode, small screens) cannot be inlined; they stay in the head.
    return css_inline.CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


def _context(voice: _Voice, letter: _Letter) -> dict[str, object]:
    document, mail = voice.document, voice.mail
    name = clean_line(document.buyer.name) or clean_line(document.buyer.business_name)
    return {
        "language": mail.language,
        "subject": letter.subject,
        "colon": mail.colon,
        "seller": voice.seller,
        "seller_lines": [line for line in map(clean_line, document.seller.address_lines) if line],
        "greeting": mail.greeting.format(name=name) if name else mail.greeting_nobody,
        "headline": letter.headline,
        "paragraphs": [paragraph for paragraph in letter.paragraphs if paragraph],
        "facts": letter.facts,
        "button": letter.button,
        "link_fallback": mail.link_fallback,
        "link_care": mail.link_care,
        "after": [sentence for sentence in letter.after if sentence],
        "questions": mail.questions,
        "regards": mail.regards,
        "brand": brand(document.brand_colour),
    }


def _rendered(voice: _Voice, letter: _Letter, pdf: bytes | None = None) -> RenderedMail:
    values = _context(voice, letter)
    text = _engine(False).get_template("billing/mail/message.txt").render(Context(values, autoescape=False))
    html = _engine(True).get_template("billing/mail/message.html").render(Context(values))
    name = file_stem(f"{voice.wording.labels.invoice}-{voice.number}")
    reply_to = voice.document.seller.email.strip()
    return RenderedMail(
        subject=subject_line(letter.subject),
        text=re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        html=_inliner().inline(html),
        attachments=(Attachment(f"{name}.pdf", "application/pdf", pdf),) if pdf else (),
        headers=MappingProxyType(
            {"Auto-Submitted": "auto-generated", "Content-Language": voice.mail.language}
        ),
        from_name=one_line(voice.document.seller.title),
        reply_to=reply_to if _ADDRESS.match(reply_to) else "",
    )
