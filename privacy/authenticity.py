"""Whether a message came from the address that it names, as our own mail server saw it: pure.

Only what our own server wrote is believed (RFC 8601): the topmost Authentication-Results, with its name on
it. It must say that DMARC passed for the domain of the one From address, by a signature or a sender of that
domain.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from privacy.incoming import Letter

# A message that comes later than this after its date may be an old one, sent once more by somebody else.
FRESH = timedelta(days=5)
AHEAD = timedelta(days=1)
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"(?P<method>[a-z0-9-]+)(?:/[0-9]+)? ?= ?(?P<result>[a-z]+)\b")
_PROPERTY = re.compile(r"(?P<name>[a-z]+\.[a-z0-9-]+) ?= ?\"?(?P<value>[^\s\";]+)\"?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the address may be believed, and why."""

    passes: bool
    why: str


@dataclass(frozen=True, slots=True)
class _Result:
    method: str
    result: str
    properties: dict[str, str]


def judge(letter: Letter, *, authserv_id: str, now: datetime) -> Verdict:
    """Tell whether the message may have a link sent to the address on file; in doubt it may not."""
    why = _doubt(letter, now) or _doubt_of_results(letter, authserv_id)
    return Verdict(not why, why or "DMARC passed for the address, as our own mail server saw it.")


def _doubt(letter: Letter, now: datetime) -> str:
    if not letter.address:
        return "It has not exactly one From with one plain address."
    if letter.by_list:
        return "It came through a mailing list."
    if letter.dated is None:
        return "It has no date."
    if not now - FRESH <= letter.dated <= now + AHEAD:
        return "Its date is not that of its arrival: it may have been sent once more by somebody else."
    return ""


def _doubt_of_results(letter: Letter, authserv_id: str) -> str:
    if not authserv_id:
        return "No mail server is named whose checks are believed (MAIL_AUTHSERV_ID)."
    ours = [each for each in letter.results if _server(each) == authserv_id.lower()]
    if not ours or _server(letter.results[0]) != authserv_id.lower():
        return "Our own mail server says nothing of it; what others say is not believed."
    if len(ours) > 1:
        return "It bears the name of our own mail server twice: one of the two is forged."
    results = list(_results(ours[0]))
    if not _passed(results, "dmarc", "header.from", letter.domain, exact=True):
        return "DMARC did not pass for its address."
    signers = _of(results, "dkim", "header.d") | _of(results, "dkim", "header.i")
    whole = {each for each in signers - letter.cut_signers if _aligned(each, letter.domain)}
    if whole or _passed(results, "spf", "smtp.mailfrom", letter.domain):
        return ""
    if signers & letter.cut_signers:
        return "Its signature covers a part of the text only (l=)."
    return "Neither signature nor sender are of the domain of its address."


def _server(value: str) -> str:
    words = _bare(value).partition(";")[0].split()
    return words[0] if words else ""


def _results(value: str) -> Iterator[_Result]:
    for part in _bare(value).split(";")[1:]:
        found = _RESULT.match(part.strip())
        if found:
            properties = {each["name"]: each["value"] for each in _PROPERTY.finditer(part)}
            yield _Result(found["method"], found["result"], properties)


def _bare(value: str) -> str:
    """Small letters, without comments, however deep one stands in another."""
    for _ in range(20):
        bare = _COMMENT.sub(" ", value)
        if bare == value:
            break
        value = bare
    return " ".join(value.lower().split())


def _of(results: Sequence[_Result], method: str, name: str) -> set[str]:
    """The domains for which a check passed."""
    passed = (each for each in results if each.method == method and each.result == "pass")
    return {each.properties[name].rpartition("@")[2] for each in passed if name in each.properties}


def _passed(results: Sequence[_Result], method: str, name: str, domain: str, *, exact: bool = False) -> bool:
    """A check with several answers that disagree has not passed."""
    answers = [each for each in results if each.method == method]
    if not answers or any(each.result != "pass" for each in answers):
        return False
    return any(each == domain if exact else _aligned(each, domain) for each in _of(results, method, name))


def _aligned(domain: str, of: str) -> bool:
    """The same domain, or one above or below it (relaxed, RFC 7489); never a top-level domain."""
    near = domain == of or of.endswith(f".{domain}") or domain.endswith(f".{of}")
    return near and "." in domain
