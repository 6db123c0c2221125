"""The authorities that people may turn to with a complaint, by country."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Authority:
    """Who looks into complaints about personal data."""

    name: str
    url: str


_EU = Authority(
    "the data-protection authority of your country, found with the European Data Protection Board",
    "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en",
)
_US = Authority(
    "the attorney general of your state; in California also the California Privacy Protection Agency",
    "https://cppa.ca.gov/webapplications/complaint",
)
_ELSEWHERE = Authority(
    "the authority of your country, found with the Global Privacy Assembly",
    "https://globalprivacyassembly.org/participation-in-the-assembly/list-of-accredited-members/",
)
_EU_COUNTRIES = frozenset(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO".split()
)
_BY_COUNTRY = {
    "DE": Authority("Die Bundesbeauftragte für den Datenschutz und die Informationsfreiheit, or the "
                    "commissioner of your state", "https://www.bfdi.bund.de/DE/Service/Anschriften/anschriften_table.html"),
    "FR": Authority("Commission Nationale de l'Informatique et des Libertés (CNIL)",
                    "https://www.cnil.fr/fr/plaintes"),
    "AT": Authority("Österreichische Datenschutzbehörde", "https://www.dsb.gv.at/"),
    "NL": Authority("Autoriteit Persoonsgegevens", "https://www.autoriteitpersoonsgegevens.nl/"),
    "ES": Authority("Agencia Española de Protección de Datos (AEPD)", "https://www.aepd.es/"),
    "IE": Authority("Data Protection Commission", "https://www.dataprotection.ie/"),
    "IT": Authority("Garante per la protezione dei dati personali", "https://www.garanteprivacy.it/"),
    "GB": Authority("Information Commissioner's Office (ICO)", "https://ico.org.uk/make-a-complaint/"),
    "CH": Authority("Eidgenössischer Datenschutz- und Öffentlichkeitsbeauftragter (EDÖB)",
                    "https://www.edoeb.admin.ch/"),
    "US": _US,
}  # fmt: skip


def authority_of(country: str) -> Authority:
    """Return whom somebody of this country (ISO 3166, two letters) may turn to."""
    code = country.strip().upper()
    return _BY_COUNTRY.get(code) or (_EU if code in _EU_COUNTRIES else _ELSEWHERE)
