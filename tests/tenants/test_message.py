import pytest

from tenants.message import SUBJECT_LIMIT, Attachment, RenderedMail, one_line, subject_line


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("Invoice 1\r\nBcc: x@y.example", "Invoice 1 Bcc: x@y.example"),
        ("a\u2028b\x00c\x85d", "a b c d"),
        ("gnp.\u202efdp", "gnp.fdp"),
        ("  Grüße   株式会社 ", "Grüße 株式会社"),
    ],
)
def test_one_line_leaves_nothing_that_ends_a_line_or_turns_it(typed: str, line: str) -> None:
    assert one_line(typed) == line


def test_a_subject_is_cut() -> None:
    subject = subject_line("x" * 1000)
    assert len(subject) == SUBJECT_LIMIT
    assert subject.endswith("…")


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "a\nBcc: b"},
        {"subject": "a\u2028b"},
        {"subject": " "},
        {"text": ""},
        {"from_name": "a\r\nb"},
        {"reply_to": "a@b.example\nBcc: c"},
        {"headers": {"X-A": "b\r\nc"}},
        {"headers": {"X-A\r\nBcc": "b"}},
        {"headers": {"X A": "b"}},
    ],
)
def test_a_mail_that_could_forge_a_header_does_not_come_to_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"control|header|needs"):
        RenderedMail(**({"subject": "a", "text": "b", "html": ""} | wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "mime"), [("a/b.pdf", "application/pdf"), ("", "application/pdf")])
def test_an_attachment_has_a_bare_name(name: str, mime: str) -> None:
    with pytest.raises(ValueError, match="file name"):
        Attachment(name, mime, b"")


@pytest.mark.parametrize("mime", ["pdf", "application/pdf\r\nX: y", ""])
def test_an_attachment_has_a_media_type(mime: str) -> None:
    with pytest.raises(ValueError, match="media type"):
        Attachment("a.pdf", mime, b"")
