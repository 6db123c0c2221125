"""What to see to before a request is answered, for the person who does: read, not sent."""

from collections.abc import Mapping
from typing import Final

from privacy.classifying import Right

COMMON: Final = (
    "Is it them? Act on what is confirmed by the link, or seen to in another way that you write down.",
    "Nothing that is held goes out by mail: point to the portal, where they see it once logged in.",
    "Say what was done, what was not, on which law, and that they may complain to their authority.",
)
CHECKLISTS: Final[Mapping[Right, tuple[str, ...]]] = {
    Right.ACCESS: (
        "They find all that is held about them in the portal under Privacy, and take it along there.",
    ),
    Right.PORT: ("CSV and SQL come from the portal under Privacy, ready for seven days.",),
    Right.CORRECT: ("What is wrong, and what is right? Whom did we pass the wrong value on to?",),
    Right.DELETE: (
        "Look at the plan first: what goes, what stays, on which law, until when.",
        "Does a legal hold stand? Then say that it waits, not for whom.",
    ),
    Right.OBJECT: ("Is marketing off? Does anything else rest on legitimate interest?",),
    Right.RESTRICT: ("Set the restriction; tell them before it is lifted.",),
    Right.COMPLAIN: ("Name their authority; answer what the complaint is about as well.",),
    Right.OPT_OUT: (
        "Nothing is sold or shared for advertising; say so, and switch marketing off if they wish.",
    ),
    Right.UNDER_16: ("Freeze first. Then find out, then erase or set free.",),
    Right.UNCLEAR: ("Sort it: which right, which law? Ask them if the message does not tell.",),
}


def checklist(right: Right) -> tuple[str, ...]:
    """What to see to, for this right."""
    return CHECKLISTS[right] + COMMON


def as_text(right: Right) -> str:
    """The same as one text, as somebody would copy it."""
    return "\n".join(checklist(right))
