"""What a message asks for, by its subject and wording, in five languages: pure.

It only sorts the queue and sets the deadline. Nothing is refused by it, and what it cannot tell is "unclear":
a person reads every message and may sort it anew.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from privacy.deadlines import Law

READ_AT_MOST = 20_000


class Right(StrEnum):
    """What may be demanded."""

    ACCESS = "access"
    CORRECT = "correct"
    DELETE = "delete"
    PORT = "port"
    OBJECT = "object"
    RESTRICT = "restrict"
    COMPLAIN = "complain"
    OPT_OUT = "opt_out"
    UNDER_16 = "under_16"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Sorted:
    """By which law, and which right."""

    law: Law
    right: Right


# By name only: whoever mentions California in a signature, or that they do not live there, has 30 days.
_CCPA = re.compile(r"\b(?:ccpa|cpra)\b|\bcalifornia (?:consumer )?privacy (?:rights )?act\b")
# In a text the law must be what is asked under: "under the CCPA", "CCPA request".
_UNDER_CCPA = re.compile(
    r"(?<!not )\b(?:under|pursuant to|according to|gemass|nach|selon|en vertu d[ue]|segun|volgens) "
    rf"(?:[a-z]{{2,3}} )?(?:{_CCPA.pattern})"
    rf"|(?<!no )(?:{_CCPA.pattern})[ -](?:request|anfrage|solicitud|verzoek)\b"
)
_GDPR = re.compile(
    r"\bgdpr\b|\bdsgvo\b|\brgpd\b|\bavg\b|\bds-?gvo\b|\bart(?:icle|ikel|iculo)?\.? ?(?:1[5-9]|2[0-2])\b"
)

# Words as they are written without accents, in English, German, French, Spanish, Dutch.
_WORDS: Final[Mapping[Right, Sequence[str]]] = {
    Right.UNDER_16: (
        r"under (?:the age of )?(?:16|sixteen)", r"(?:is|am|only) (?:1[0-5]|[5-9]) years? old",
        r"\bminderjahrig", r"unter 16", r"(?:ist|bin) (?:erst )?(?:1[0-5]|[5-9]) jahre",
        r"moins de (?:16|seize) ans", r"\ba (?:1[0-5]|[5-9]) ans", r"\bmineure?s?\b",
        r"menor(?:es)? (?:de|que) (?:16|dieciseis)", r"\bmenor de edad", r"tiene (?:1[0-5]|[5-9]) anos",
        r"(?:jonger dan|onder de) (?:16|zestien)", r"\bis (?:pas )?(?:1[0-5]|[5-9]) jaar",
        r"\bminor child\b", r"\bmy child\b.{0,60}\b(?:account|data)\b",
    ),
    Right.DELETE: (
        r"\b(?:delete|erase|remove|deletion|erasure)\b", r"right to be forgotten",
        r"\b(?:losch\w*|geloscht|vergessenwerden|entfern\w* (?:sie )?meine daten)",
        r"\b(?:effac\w*|suppression|supprim\w*|droit a l.oubli)",
        r"\b(?:elimin\w*|supresion|suprim\w*|borr(?:ar|en|ado)\w*|derecho al olvido)",
        r"\b(?:verwijder\w*|wissen|gewist|vergetelheid)",
    ),
    Right.OPT_OUT: (
        r"do not (?:sell|share)", r"\b(?:opt|opting)[ -]?out\b.{0,40}\b(?:sale|sell\w*|sharing)\b",
        r"\bdon.?t (?:sell|share)\b",
        r"\b(?:nicht|kein\w*) (?:verkauf\w*)", r"verkauf\w* (?:meine\w* )?daten",
        r"\bne (?:pas )?vend(?:ez|re)\b", r"\bvente de mes donnees",
        r"no (?:vend(?:an|er|a)|venta)\b", r"venta de mis datos", r"(?:niet|geen) (?:verkop\w*|verkoop)",
    ),
    Right.RESTRICT: (
        r"\b(?:restrict\w*|pause) (?:of |the |my )*(?:processing|use|data)\b", r"restriction of processing",
        r"\b(?:einschrank\w*|sperr(?:en|ung) meiner daten)", r"\blimit(?:ation|er) (?:du|le) traitement",
        r"\blimit(?:acion|ar|en) (?:del|el) tratamiento", r"\bbeperk\w*",
    ),
    Right.OBJECT: (
        r"\b(?:object|objection) (?:to|against)\b", r"\bi object\b", r"\bunsubscribe\b",
        r"\b(?:stop|no more|without) (?:sending )?(?:me )?(?:any )?(?:marketing|newsletters?|advert\w*)",
        r"\b(?:widerspr\w+|abmeld\w+|keine werbung)", r"\b(?:m.oppose\w*|opposition|desabonn\w*)",
        r"\b(?:me opongo|oposicion|oponer\w*|darme de baja)", r"\b(?:bezwaar|afmeld\w+|uitschrijv\w+)",
    ),
    Right.COMPLAIN: (
        r"\b(?:complain|complaint) (?:to|with|about)\b", r"\bsupervisory authority\b",
        r"\b(?:beschwer\w+|aufsichtsbehorde)", r"\b(?:plainte|reclamation|autorite de controle|cnil)\b",
        r"\b(?:reclamacion|queja|autoridad de control|aepd)\b",
        r"\b(?:klacht\w*|toezichthouder|autoriteit persoonsgegevens)",
    ),
    Right.PORT: (
        r"\b(?:portab\w+|machine[- ]readable|take (?:my data|it) (?:with|along))\b",
        r"\b(?:datenubertragbarkeit|ubertragbarkeit|maschinenlesbar\w*)",
        r"\bportabilite\b", r"\bportabilidad\b", r"\b(?:overdraagbaar\w*|dataportabiliteit)\b",
        r"\b(?:as|in|als|en) (?:an? )?(?:csv|sql dump|sql)\b", r"\bexport\w* (?:of )?(?:all )?my data\b",
    ),
    Right.CORRECT: (
        r"\b(?:correct|rectif\w+|correction)\b", r"\b(?:my|the) (?:\w+ )?(?:is|are) (?:wrong|incorrect)\b",
        r"\b(?:berichtig\w+|korrig\w+|korrektur)", r"\b(?:corrig\w+|inexact\w*)",
        r"\b(?:rectificacion|correccion)\b", r"\b(?:rectificatie|corrigeer\w*|verbeter\w*)",
    ),
    Right.ACCESS: (
        r"\baccess (?:to )?(?:my|the|all|request)\b", r"\b(?:subject|data) access\b", r"\bright to know\b",
        r"\b(?:what|which|copy of|all|see) (?:\w+ ){0,3}(?:personal )?(?:data|information)\b", r"\bdsar\b",
        r"\bwhat (?:do )?you (?:know|hold|have|store|keep)\b",
        r"\b(?:auskunft\w*|kopie meiner daten|welche daten)",
        r"\b(?:droit d.acces|acces a mes|copie de mes|quelles donnees)",
        r"\b(?:derecho de acceso|acceso a mis|acceder a mis|copia de mis|que datos)",
        r"\b(?:inzage\w*|kopie van mijn|welke gegevens)",
    ),
}  # fmt: skip
_RIGHTS = {
    right: re.compile("|".join(words)) for right, words in _WORDS.items()
}  # in order: the first stands where the next may be a part of it


def classify(subject: str, text: str) -> Sorted:
    """Sort a message: the subject speaks first, the text where the subject says nothing."""
    head, body = _plain(subject), _plain(text)
    law = _law(head, _CCPA) or _law(body, _UNDER_CCPA) or Law.GDPR
    return Sorted(law, _right(head) or _right(body) or Right.UNCLEAR)


def _law(text: str, ccpa: re.Pattern[str]) -> Law | None:
    """GDPR where both are named: its time is shorter."""
    if _GDPR.search(text):
        return Law.GDPR
    return Law.CCPA if ccpa.search(text) else None


def _right(text: str) -> Right | None:
    """The one right that is asked for; a child before all else; several at once are for a person to tell."""
    found = [right for right, words in _RIGHTS.items() if words.search(text)]
    if Right.UNDER_16 in found:
        return Right.UNDER_16
    if set(found) == {Right.ACCESS, Right.PORT}:
        return Right.PORT  # a copy to take along is the copy that was asked to be seen
    if len(found) > 1:
        return Right.UNCLEAR
    return found[0] if found else None


def _plain(text: str) -> str:
    """Small letters without accents, one blank between words."""
    decomposed = unicodedata.normalize("NFKD", text[:READ_AT_MOST].casefold().replace("’", "'"))
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return " ".join(bare.split())
