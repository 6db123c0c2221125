"""The sentences of the mails to customers, in the languages of documents, and why a card was declined."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLabels:
    """Sentences of one language; {braces} are filled with values that are already words."""

    language: str
    colon: str
    greeting: str
    greeting_nobody: str
    invoice_subject: str
    invoice_lead: str
    invoice_lead_due: str
    invoice_autopay: str
    invoice_attached: str
    pay_button: str
    link_fallback: str
    link_care: str
    failed_subject: str
    failed_lead: str
    failed_lead_card: str
    failed_retry: str
    failed_no_retry: str
    confirm_subject: str
    confirm_lead: str
    confirm_why: str
    confirm_button: str
    receipt_subject: str
    receipt_lead: str
    receipt_card: str
    receipt_remaining: str
    receipt_settled: str
    receipt_attached: str
    questions: str
    regards: str
    declined: Mapping[str, str]


EN = MailLabels(
    language="en",
    colon=":",
    greeting="Hello {name},",
    greeting_nobody="Hello,",
    invoice_subject="Invoice {number} from {seller}",
    invoice_lead="Here is your invoice {number} for {amount}.",
    invoice_lead_due="Here is your invoice {number} for {amount}, due on {date}.",
    invoice_autopay="You need not do anything: {amount} will be charged to {card} on {date}.",
    invoice_attached="The invoice is attached as a PDF.",
    pay_button="Pay {amount}",
    link_fallback="If the button does not work, open this address in your browser:",
    link_care="The link works without logging in. Share it only with those who may see the invoice.",
    failed_subject="Payment for invoice {number} did not go through",
    failed_lead="We could not collect {amount} for invoice {number}.",
    failed_lead_card="We could not collect {amount} for invoice {number} from {card}.",
    failed_retry="We will try again on {date}. To pay sooner or in another way, use the button below.",
    failed_no_retry="Please pay with the button below. There you can also use another card.",
    confirm_subject="Please confirm your payment for invoice {number}",
    confirm_lead="Your bank asks you to confirm the payment of {amount} for invoice {number}.",
    confirm_why="Nothing has been charged yet. Confirming takes a minute, on the page of your bank.",
    confirm_button="Confirm payment",
    receipt_subject="Payment received for invoice {number}",
    receipt_lead="Thank you. We received {amount} for invoice {number} on {date}.",
    receipt_card="Paid with {card}.",
    receipt_remaining="{amount} of this invoice remains to be paid.",
    receipt_settled="The invoice is paid in full. There is nothing more to do.",
    receipt_attached="The invoice, marked as paid, is attached as a PDF.",
    questions="Any questions? Just reply to this email.",
    regards="Kind regards",
    declined={
        "": "The bank declined the payment without giving a reason.",
        "insufficient_funds": "The bank says that there was not enough money in the account.",
        "expired_card": "The card has expired.",
        "incorrect_number": "The card number is not right.",
        "incorrect_cvc": "The security code of the card is not right.",
        "processing_error": "The bank could not process the payment at that moment.",
        "authentication_required": "The bank asks you to confirm the payment.",
        "limit_exceeded": "The payment is above the limit of the card.",
        "currency_not_supported": "The card does not support this currency.",
    },
)

DE = MailLabels(
    language="de",
    colon=":",
    greeting="Guten Tag {name},",
    greeting_nobody="Guten Tag,",
    invoice_subject="Rechnung {number} von {seller}",
    invoice_lead="anbei erhalten Sie die Rechnung {number} über {amount}.",
    invoice_lead_due="anbei erhalten Sie die Rechnung {number} über {amount}, fällig am {date}.",
    invoice_autopay="Sie müssen nichts tun: {amount} werden am {date} von {card} eingezogen.",
    invoice_attached="Die Rechnung ist als PDF angehängt.",
    pay_button="{amount} bezahlen",
    link_fallback="Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse im Browser:",
    link_care=(
        "Der Link funktioniert ohne Anmeldung. Geben Sie ihn nur an Personen weiter, die die "
        "Rechnung sehen dürfen."
    ),
    failed_subject="Die Zahlung für Rechnung {number} ist fehlgeschlagen",
    failed_lead="wir konnten {amount} für die Rechnung {number} nicht einziehen.",
    failed_lead_card="wir konnten {amount} für die Rechnung {number} nicht von {card} einziehen.",
    failed_retry=(
        "Am {date} versuchen wir es erneut. Früher oder auf anderem Weg bezahlen Sie über die "
        "Schaltfläche unten."
    ),
    failed_no_retry=(
        "Bitte bezahlen Sie über die Schaltfläche unten. Dort können Sie auch eine andere Karte verwenden."
    ),
    confirm_subject="Bitte bestätigen Sie Ihre Zahlung für Rechnung {number}",
    confirm_lead="Ihre Bank bittet Sie, die Zahlung von {amount} für die Rechnung {number} zu bestätigen.",
    confirm_why=(
        "Es wurde noch nichts abgebucht. Die Bestätigung auf der Seite Ihrer Bank dauert nur eine Minute."
    ),
    confirm_button="Zahlung bestätigen",
    receipt_subject="Zahlung für Rechnung {number} erhalten",
    receipt_lead="vielen Dank. Wir haben am {date} {amount} für die Rechnung {number} erhalten.",
    receipt_card="Bezahlt mit {card}.",
    receipt_remaining="Von dieser Rechnung sind noch {amount} offen.",
    receipt_settled="Die Rechnung ist vollständig bezahlt. Sie müssen nichts weiter tun.",
    receipt_attached="Die als bezahlt gekennzeichnete Rechnung ist als PDF angehängt.",
    questions="Fragen? Antworten Sie einfach auf diese E-Mail.",
    regards="Freundliche Grüße",
    declined={
        "": "Die Bank hat die Zahlung ohne Angabe von Gründen abgelehnt.",
        "insufficient_funds": "Laut Bank war das Konto nicht ausreichend gedeckt.",
        "expired_card": "Die Karte ist abgelaufen.",
        "incorrect_number": "Die Kartennummer stimmt nicht.",
        "incorrect_cvc": "Die Prüfziffer der Karte stimmt nicht.",
        "processing_error": "Die Bank konnte die Zahlung in diesem Moment nicht verarbeiten.",
        "authentication_required": "Die Bank bittet Sie, die Zahlung zu bestätigen.",
        "limit_exceeded": "Die Zahlung übersteigt das Limit der Karte.",
        "currency_not_supported": "Die Karte unterstützt diese Währung nicht.",
    },
)

FR = MailLabels(
    language="fr",
    colon="\N{NO-BREAK SPACE}:",
    greeting="Bonjour {name},",
    greeting_nobody="Bonjour,",
    invoice_subject="Facture {number} de {seller}",
    invoice_lead="Voici votre facture {number} d’un montant de {amount}.",
    invoice_lead_due="Voici votre facture {number} d’un montant de {amount}, à payer le {date}.",
    invoice_autopay=(
        "Vous n’avez rien à faire\N{NO-BREAK SPACE}: {amount} seront prélevés sur {card} le {date}."
    ),
    invoice_attached="La facture est jointe au format PDF.",
    pay_button="Payer {amount}",
    link_fallback=(
        "Si le bouton ne fonctionne pas, ouvrez cette adresse dans votre navigateur\N{NO-BREAK SPACE}:"
    ),
    link_care=(
        "Le lien fonctionne sans connexion. Ne le partagez qu’avec les personnes autorisées à "
        "voir la facture."
    ),
    failed_subject="Le paiement de la facture {number} a échoué",
    failed_lead="Nous n’avons pas pu encaisser {amount} pour la facture {number}.",
    failed_lead_card="Nous n’avons pas pu prélever {amount} pour la facture {number} sur {card}.",
    failed_retry=(
        "Nous réessaierons le {date}. Pour payer plus tôt ou autrement, utilisez le bouton ci-dessous."
    ),
    failed_no_retry=(
        "Merci de payer avec le bouton ci-dessous. Vous pourrez aussi y utiliser une autre carte."
    ),
    confirm_subject="Confirmez votre paiement de la facture {number}",
    confirm_lead="Votre banque vous demande de confirmer le paiement de {amount} pour la facture {number}.",
    confirm_why="Rien n’a encore été débité. La confirmation prend une minute, sur la page de votre banque.",
    confirm_button="Confirmer le paiement",
    receipt_subject="Paiement reçu pour la facture {number}",
    receipt_lead="Merci. Nous avons reçu {amount} pour la facture {number} le {date}.",
    receipt_card="Payé avec {card}.",
    receipt_remaining="Il reste {amount} à payer sur cette facture.",
    receipt_settled="La facture est payée intégralement. Vous n’avez plus rien à faire.",
    receipt_attached="La facture acquittée est jointe au format PDF.",
    questions="Des questions\N{NO-BREAK SPACE}? Répondez simplement à cet e-mail.",
    regards="Cordialement",
    declined={
        "": "La banque a refusé le paiement sans donner de raison.",
        "insufficient_funds": "Selon la banque, le solde du compte était insuffisant.",
        "expired_card": "La carte a expiré.",
        "incorrect_number": "Le numéro de carte est incorrect.",
        "incorrect_cvc": "Le code de sécurité de la carte est incorrect.",
        "processing_error": "La banque n’a pas pu traiter le paiement à ce moment-là.",
        "authentication_required": "La banque vous demande de confirmer le paiement.",
        "limit_exceeded": "Le paiement dépasse le plafond de la carte.",
        "currency_not_supported": "La carte n’accepte pas cette devise.",
    },
)

ES = MailLabels(
    language="es",
    colon=":",
    greeting="Hola, {name}:",
    greeting_nobody="Hola:",
    invoice_subject="Factura {number} de {seller}",
    invoice_lead="Esta es su factura {number} por {amount}.",
    invoice_lead_due="Esta es su factura {number} por {amount}, que vence el {date}.",
    invoice_autopay="No tiene que hacer nada: se cargarán {amount} en {card} el {date}.",
    invoice_attached="La factura va adjunta en PDF.",
    pay_button="Pagar {amount}",
    link_fallback="Si el botón no funciona, abra esta dirección en su navegador:",
    link_care="El enlace funciona sin iniciar sesión. Compártalo solo con quien pueda ver la factura.",
    failed_subject="No se pudo cobrar la factura {number}",
    failed_lead="No hemos podido cobrar {amount} de la factura {number}.",
    failed_lead_card="No hemos podido cobrar {amount} de la factura {number} con {card}.",
    failed_retry=(
        "Lo intentaremos de nuevo el {date}. Para pagar antes o de otra forma, use el botón de abajo."
    ),
    failed_no_retry="Le rogamos que pague con el botón de abajo. Allí también puede usar otra tarjeta.",
    confirm_subject="Confirme su pago de la factura {number}",
    confirm_lead="Su banco le pide que confirme el pago de {amount} de la factura {number}.",
    confirm_why="Todavía no se ha cobrado nada. Confirmar lleva un minuto, en la página de su banco.",
    confirm_button="Confirmar el pago",
    receipt_subject="Pago recibido de la factura {number}",
    receipt_lead="Gracias. Hemos recibido {amount} de la factura {number} el {date}.",
    receipt_card="Pagado con {card}.",
    receipt_remaining="De esta factura quedan {amount} por pagar.",
    receipt_settled="La factura está pagada en su totalidad. No tiene que hacer nada más.",
    receipt_attached="La factura, marcada como pagada, va adjunta en PDF.",
    questions="¿Alguna pregunta? Responda a este correo.",
    regards="Un saludo",
    declined={
        "": "El banco rechazó el pago sin indicar el motivo.",
        "insufficient_funds": "Según el banco, no había saldo suficiente en la cuenta.",
        "expired_card": "La tarjeta ha caducado.",
        "incorrect_number": "El número de la tarjeta no es correcto.",
        "incorrect_cvc": "El código de seguridad de la tarjeta no es correcto.",
        "processing_error": "El banco no pudo procesar el pago en ese momento.",
        "authentication_required": "El banco le pide que confirme el pago.",
        "limit_exceeded": "El pago supera el límite de la tarjeta.",
        "currency_not_supported": "La tarjeta no admite esta moneda.",
    },
)

NL = MailLabels(
    language="nl",
    colon=":",
    greeting="Hallo {name},",
    greeting_nobody="Hallo,",
    invoice_subject="Factuur {number} van {seller}",
    invoice_lead="Hierbij ontvangt u factuur {number} van {amount}.",
    invoice_lead_due="Hierbij ontvangt u factuur {number} van {amount}, te betalen op {date}.",
    invoice_autopay="U hoeft niets te doen: {amount} wordt op {date} afgeschreven van {card}.",
    invoice_attached="De factuur is als pdf bijgevoegd.",
    pay_button="{amount} betalen",
    link_fallback="Werkt de knop niet? Open dan dit adres in uw browser:",
    link_care="De link werkt zonder in te loggen. Deel hem alleen met wie de factuur mag zien.",
    failed_subject="De betaling van factuur {number} is niet gelukt",
    failed_lead="We konden {amount} voor factuur {number} niet innen.",
    failed_lead_card="We konden {amount} voor factuur {number} niet afschrijven van {card}.",
    failed_retry=(
        "Op {date} proberen we het opnieuw. Eerder of op een andere manier betalen kan met de knop hieronder."
    ),
    failed_no_retry="Betaal alstublieft met de knop hieronder. Daar kunt u ook een andere kaart gebruiken.",
    confirm_subject="Bevestig uw betaling van factuur {number}",
    confirm_lead="Uw bank vraagt u de betaling van {amount} voor factuur {number} te bevestigen.",
    confirm_why="Er is nog niets afgeschreven. Bevestigen duurt een minuut, op de pagina van uw bank.",
    confirm_button="Betaling bevestigen",
    receipt_subject="Betaling ontvangen voor factuur {number}",
    receipt_lead="Hartelijk dank. We hebben op {date} {amount} ontvangen voor factuur {number}.",
    receipt_card="Betaald met {card}.",
    receipt_remaining="Van deze factuur staat nog {amount} open.",
    receipt_settled="De factuur is volledig betaald. U hoeft niets meer te doen.",
    receipt_attached="De als betaald gemarkeerde factuur is als pdf bijgevoegd.",
    questions="Vragen? Beantwoord gewoon deze e-mail.",
    regards="Met vriendelijke groet",
    declined={
        "": "De bank heeft de betaling zonder opgave van reden geweigerd.",
        "insufficient_funds": "Volgens de bank stond er niet genoeg geld op de rekening.",
        "expired_card": "De kaart is verlopen.",
        "incorrect_number": "Het kaartnummer klopt niet.",
        "incorrect_cvc": "De beveiligingscode van de kaart klopt niet.",
        "processing_error": "De bank kon de betaling op dat moment niet verwerken.",
        "authentication_required": "De bank vraagt u de betaling te bevestigen.",
        "limit_exceeded": "De betaling is hoger dan de limiet van de kaart.",
        "currency_not_supported": "De kaart ondersteunt deze valuta niet.",
    },
)

LANGUAGES: dict[str, MailLabels] = {labels.language: labels for labels in (EN, DE, FR, ES, NL)}

# Stripe's decline codes that mean the same to a customer. Suspected theft or fraud is never told.
_SAME = {
    "invalid_number": "incorrect_number",
    "invalid_cvc": "incorrect_cvc",
    "invalid_expiry_month": "expired_card",
    "invalid_expiry_year": "expired_card",
    "card_velocity_exceeded": "limit_exceeded",
    "withdrawal_count_limit_exceeded": "limit_exceeded",
    "issuer_not_available": "processing_error",
    "reenter_transaction": "processing_error",
    "try_again_later": "processing_error",
    "authentication_not_handled": "authentication_required",
}


def mail_labels_for(language: str) -> MailLabels:
    """The sentences of a language; English where it is not spoken here."""
    return LANGUAGES.get(language.replace("_", "-").split("-")[0].lower(), EN)


def decline_reason(code: str, locale: str) -> str:
    """Say in the customer's language why a card was declined; unknown codes get the plain sentence."""
    declined = mail_labels_for(locale).declined
    return declined.get(_SAME.get(code, code), declined[""])
