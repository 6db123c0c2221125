"""What a message asks for, in five languages; what is not clear is left to a person."""

import pytest

from privacy.classifying import Right, classify
from privacy.deadlines import Law

ASKED = {
    Right.ACCESS: (
        "Subject access request", "What data do you hold about me?", "Auskunft nach Art. 15 DSGVO",
        "Bitte eine Kopie meiner Daten", "Demande d'accès à mes données: droit d’accès", "Derecho de acceso",
        "Verzoek om inzage", "Right to know",
    ),
    Right.DELETE: (
        "Please delete my account", "Right to be forgotten", "Löschung", "Alles soll GELÖSCHT sein",
        "Droit à l'oubli", "Suppression de mes données", "Supresión de mis datos", "Eliminar mi cuenta",
        "Verwijder alles", "Recht op vergetelheid",
    ),
    Right.CORRECT: (
        "Please rectify my name", "My address is wrong", "Berichtigung", "Corriger mon adresse",
        "Rectificación", "Rectificatie",
    ),
    Right.PORT: (
        "Data portability", "Datenübertragbarkeit", "Portabilité", "Portabilidad", "Overdraagbaarheid",
        "Send it as CSV",
    ),
    Right.OBJECT: (
        "I object", "Unsubscribe", "Stop sending me marketing", "Hiermit widerspreche ich", "Je m’oppose",
        "Me opongo", "Bezwaar",
    ),
    Right.RESTRICT: (
        "Restriction of processing", "Einschränkung der Verarbeitung", "Limitation du traitement",
        "Limitación del tratamiento", "Beperking van de verwerking",
    ),
    Right.COMPLAIN: (
        "A complaint about you", "Beschwerde", "Je vais porter plainte à la CNIL", "Una queja", "Klacht",
    ),
    Right.OPT_OUT: (
        "Do not sell my personal information", "Kein Verkauf", "Ne pas vendre", "No vendan mis datos",
        "Geen verkoop",
    ),
    Right.UNDER_16: (
        "My daughter is 13 years old", "She is under 16", "Er ist erst 12 Jahre alt", "Elle a 14 ans",
        "Es menor de edad", "Hij is 15 jaar", "Delete the account of a child, he is under 16",
    ),
    Right.UNCLEAR: ("Hello", "", "Invoice 4711", "Delete everything, but first a copy of my data", "Frage"),
}  # fmt: skip


@pytest.mark.parametrize("right", ASKED)
def test_each_right_is_understood_from_the_subject_and_from_the_text(right: Right) -> None:
    assert set(ASKED) == set(Right)
    for words in ASKED[right]:
        assert classify(words, "").right is right, words
        assert classify("Hello", f"Dear all,\n\n{words}\n\nKind regards").right is right, words


@pytest.mark.parametrize(
    ("subject", "text", "law"),
    [
        ("CCPA request", "", Law.CCPA),
        ("ccpa  REQUEST: delete", "as in the GDPR", Law.CCPA),
        ("California Consumer Privacy Act", "", Law.CCPA),
        ("Request", "I ask this under the CCPA.", Law.CCPA),
        ("Request", "A CPRA request: what do you hold?", Law.CCPA),
        ("Request", "pursuant to the California Consumer Privacy Act", Law.CCPA),
        ("Request", "Gemäß CCPA", Law.CCPA),
        # the longer time is only for whoever names the law that gives it
        ("Request", "I live in California", Law.GDPR),
        ("Request", "Kind regards\nNora Lind\nBerlin | London | California", Law.GDPR),
        ("Request", "I am not in California, I live in Hamburg", Law.GDPR),
        ("Anfrage", "Sie sitzen in Kalifornien", Law.GDPR),
        ("California", "Delete my data", Law.GDPR),
        ("Request", "I do not ask this, nor is it no CCPA request", Law.GDPR),
        ("Request", "This is not under the CCPA", Law.GDPR),
        ("Request", "You mention the CCPA on your page", Law.GDPR),
        ("Do not sell my data", "", Law.GDPR),
        ("Request", "under the CCPA or GDPR", Law.GDPR),
        ("RGPD", "CCPA", Law.GDPR),
        ("", "", Law.GDPR),
    ],
)
def test_the_subject_speaks_first_and_the_shorter_time_holds_in_doubt(
    subject: str, text: str, law: Law
) -> None:
    assert classify(subject, text).law is law


def test_a_giant_is_sorted_in_no_time() -> None:
    assert classify("x", "my child " * 100_000 + "(" * 100_000).right is Right.UNCLEAR
