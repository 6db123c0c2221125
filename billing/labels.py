"""The words printed on documents, in every language that documents are written in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Words of one language; those with {braces} are filled by the renderer."""

    language: str
    invoice: str
    draft: str
    void: str
    paid: str
    bill_to: str
    from_: str
    attention: str
    tax_id: str
    number: str
    issued: str
    due: str
    paid_on: str
    period: str
    reference: str
    description: str
    quantity: str
    unit_price: str
    tax: str
    amount: str
    subtotal: str
    tax_on: str
    tax_included: str
    total: str
    amount_paid: str
    amount_due: str
    due_by: str
    due_now: str
    pay_online: str
    pay_hint: str
    scan_hint: str
    qr_alt: str
    logo_alt: str
    bank_transfer: str
    notes: str
    page: str
    continued: str
    email: str
    draft_note: str
    void_note: str
    settled_note: str


EN = Labels(
    language="en",
    invoice="Invoice",
    draft="Draft",
    void="Void",
    paid="Paid",
    bill_to="Bill to",
    from_="From",
    attention="Attn {name}",
    tax_id="Tax ID",
    number="Invoice number",
    issued="Date of issue",
    due="Due date",
    paid_on="Paid on",
    period="Service period",
    reference="Reference",
    description="Description",
    quantity="Qty",
    unit_price="Unit price",
    tax="Tax",
    amount="Amount",
    subtotal="Subtotal",
    tax_on="{name} on {base}",
    tax_included="including {name}",
    total="Total",
    amount_paid="Already paid",
    amount_due="Amount due",
    due_by="{amount} due on {date}",
    due_now="{amount} due",
    pay_online="Pay online",
    pay_hint="Pay securely by card, without logging in:",
    scan_hint="Scan to pay",
    qr_alt="QR code that leads to the payment page",
    logo_alt="Logo of {name}",
    bank_transfer="Bank transfer",
    notes="Notes",
    page="Page {page} of {pages}",
    continued="{number}, continued",
    email="Email",
    draft_note="This is a draft. Nothing is due yet.",
    void_note="This invoice is void. Nothing is due.",
    settled_note="Paid in full. Thank you.",
)

DE = Labels(
    language="de",
    invoice="Rechnung",
    draft="Entwurf",
    void="Storniert",
    paid="Bezahlt",
    bill_to="Rechnung an",
    from_="Von",
    attention="z. Hd. {name}",
    tax_id="USt-IdNr.",
    number="Rechnungsnummer",
    issued="Rechnungsdatum",
    due="Fällig am",
    paid_on="Bezahlt am",
    period="Leistungszeitraum",
    reference="Referenz",
    description="Beschreibung",
    quantity="Menge",
    unit_price="Einzelpreis",
    tax="Steuer",
    amount="Betrag",
    subtotal="Zwischensumme",
    tax_on="{name} auf {base}",
    tax_included="enthält {name}",
    total="Gesamtbetrag",
    amount_paid="Bereits bezahlt",
    amount_due="Offener Betrag",
    due_by="{amount} fällig am {date}",
    due_now="{amount} fällig",
    pay_online="Online bezahlen",
    pay_hint="Sicher mit Karte bezahlen, ohne Anmeldung:",
    scan_hint="Scannen und bezahlen",
    qr_alt="QR-Code, der zur Zahlungsseite führt",
    logo_alt="Logo von {name}",
    bank_transfer="Überweisung",
    notes="Hinweise",
    page="Seite {page} von {pages}",
    continued="{number}, Fortsetzung",
    email="E-Mail",
    draft_note="Dies ist ein Entwurf. Es ist noch nichts zu zahlen.",
    void_note="Diese Rechnung ist storniert. Es ist nichts zu zahlen.",
    settled_note="Vollständig bezahlt. Vielen Dank.",
)

FR = Labels(
    language="fr",
    invoice="Facture",
    draft="Brouillon",
    void="Annulée",
    paid="Payée",
    bill_to="Facturé à",
    from_="De",
    attention="À l’attention de {name}",
    tax_id="N° TVA",
    number="Numéro de facture",
    issued="Date d’émission",
    due="Date d’échéance",
    paid_on="Payée le",
    period="Période",
    reference="Référence",
    description="Description",
    quantity="Qté",
    unit_price="Prix unitaire",
    tax="Taxe",
    amount="Montant",
    subtotal="Sous-total",
    tax_on="{name} sur {base}",
    tax_included="dont {name}",
    total="Total",
    amount_paid="Déjà payé",
    amount_due="Montant dû",
    due_by="{amount} à payer le {date}",
    due_now="{amount} à payer",
    pay_online="Payer en ligne",
    pay_hint="Payez par carte en toute sécurité, sans vous connecter\N{NO-BREAK SPACE}:",
    scan_hint="Scannez pour payer",
    qr_alt="Code QR menant à la page de paiement",
    logo_alt="Logo de {name}",
    bank_transfer="Virement bancaire",
    notes="Remarques",
    page="Page {page} sur {pages}",
    continued="{number}, suite",
    email="E-mail",
    draft_note="Ceci est un brouillon. Rien n’est encore dû.",
    void_note="Cette facture est annulée. Rien n’est dû.",
    settled_note="Payée intégralement. Merci.",
)

ES = Labels(
    language="es",
    invoice="Factura",
    draft="Borrador",
    void="Anulada",
    paid="Pagada",
    bill_to="Facturar a",
    from_="De",
    attention="A la atención de {name}",
    tax_id="NIF/IVA",
    number="Número de factura",
    issued="Fecha de emisión",
    due="Vencimiento",
    paid_on="Pagada el",
    period="Período",
    reference="Referencia",
    description="Descripción",
    quantity="Cant.",
    unit_price="Precio unitario",
    tax="Impuesto",
    amount="Importe",
    subtotal="Subtotal",
    tax_on="{name} sobre {base}",
    tax_included="incluye {name}",
    total="Total",
    amount_paid="Ya pagado",
    amount_due="Importe pendiente",
    due_by="{amount} a pagar el {date}",
    due_now="{amount} a pagar",
    pay_online="Pagar en línea",
    pay_hint="Pague con tarjeta de forma segura, sin iniciar sesión:",
    scan_hint="Escanee para pagar",
    qr_alt="Código QR que lleva a la página de pago",
    logo_alt="Logotipo de {name}",
    bank_transfer="Transferencia bancaria",
    notes="Observaciones",
    page="Página {page} de {pages}",
    continued="{number}, continuación",
    email="Correo",
    draft_note="Esto es un borrador. Todavía no hay nada que pagar.",
    void_note="Esta factura está anulada. No hay nada que pagar.",
    settled_note="Pagada en su totalidad. Gracias.",
)

NL = Labels(
    language="nl",
    invoice="Factuur",
    draft="Concept",
    void="Vervallen",
    paid="Betaald",
    bill_to="Factuur aan",
    from_="Van",
    attention="t.a.v. {name}",
    tax_id="Btw-nummer",
    number="Factuurnummer",
    issued="Factuurdatum",
    due="Vervaldatum",
    paid_on="Betaald op",
    period="Periode",
    reference="Referentie",
    description="Omschrijving",
    quantity="Aantal",
    unit_price="Stukprijs",
    tax="Btw",
    amount="Bedrag",
    subtotal="Subtotaal",
    tax_on="{name} over {base}",
    tax_included="inclusief {name}",
    total="Totaal",
    amount_paid="Reeds betaald",
    amount_due="Te betalen",
    due_by="{amount} te betalen op {date}",
    due_now="{amount} te betalen",
    pay_online="Online betalen",
    pay_hint="Betaal veilig met een kaart, zonder in te loggen:",
    scan_hint="Scan om te betalen",
    qr_alt="QR-code die naar de betaalpagina leidt",
    logo_alt="Logo van {name}",
    bank_transfer="Overschrijving",
    notes="Opmerkingen",
    page="Pagina {page} van {pages}",
    continued="{number}, vervolg",
    email="E-mail",
    draft_note="Dit is een concept. Er hoeft nog niets te worden betaald.",
    void_note="Deze factuur is vervallen. Er hoeft niets te worden betaald.",
    settled_note="Volledig betaald. Hartelijk dank.",
)

LANGUAGES: dict[str, Labels] = {labels.language: labels for labels in (EN, DE, FR, ES, NL)}


def labels_for(locale: str) -> Labels:
    """The labels of a locale such as `de-AT` or `pt_BR`; English where a language is not spoken here."""
    return LANGUAGES.get(locale.replace("_", "-").split("-")[0].lower(), EN)
