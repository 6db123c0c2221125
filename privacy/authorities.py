"""The data-protection authority that a person may complain to, by country: data."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom to turn to: what it is called, where it is, its web address."""

    name: str
    post: str
    web: str


def _of(name: str, post: str, host: str) -> Authority:
    return Authority(name, post, f"https://{host}")


AUTHORITIES: Final[dict[str, Authority]] = {
    # the European Union
    "AT": _of("Österreichische Datenschutzbehörde", "Barichgasse 40–42, 1030 Wien", "www.dsb.gv.at"),
    "BE": _of(
        "Gegevensbeschermingsautoriteit / Autorité de protection des données",
        "Drukpersstraat 35, 1000 Brussel",
        "www.dataprotectionauthority.be",
    ),
    "BG": _of(
        "Commission for Personal Data Protection", "2 Prof. Tsvetan Lazarov Blvd., 1592 Sofia", "www.cpdp.bg"
    ),
    "CY": _of(
        "Office of the Commissioner for Personal Data Protection", "Nicosia", "www.dataprotection.gov.cy"
    ),
    "CZ": _of("Úřad pro ochranu osobních údajů", "Pplk. Sochora 27, 170 00 Praha 7", "uoou.gov.cz"),
    "DE": _of(
        "Die Bundesbeauftragte für den Datenschutz und die Informationsfreiheit",
        "Graurheindorfer Straße 153, 53117 Bonn; it names the authority of your Land",
        "www.bfdi.bund.de",
    ),
    "DK": _of("Datatilsynet", "Carl Jacobsens Vej 35, 2500 Valby", "www.datatilsynet.dk"),
    "EE": _of("Andmekaitse Inspektsioon", "Tatari 39, 10134 Tallinn", "www.aki.ee"),
    "ES": _of("Agencia Española de Protección de Datos", "Calle Jorge Juan 6, 28001 Madrid", "www.aepd.es"),
    "FI": _of("Tietosuojavaltuutetun toimisto", "Lintulahdenkuja 4, 00530 Helsinki", "tietosuoja.fi"),
    "FR": _of(
        "Commission nationale de l’informatique et des libertés (CNIL)",
        "3 place de Fontenoy, TSA 80715, 75334 Paris Cedex 07",
        "www.cnil.fr",
    ),
    "GR": _of("Hellenic Data Protection Authority", "Kifissias 1–3, 115 23 Athina", "www.dpa.gr"),
    "HR": _of("Agencija za zaštitu osobnih podataka", "Selska cesta 136, 10000 Zagreb", "azop.hr"),
    "HU": _of(
        "Nemzeti Adatvédelmi és Információszabadság Hatóság",
        "Falk Miksa utca 9–11, 1055 Budapest",
        "www.naih.hu",
    ),
    "IE": _of("Data Protection Commission", "Dublin", "www.dataprotection.ie"),
    "IT": _of(
        "Garante per la protezione dei dati personali",
        "Piazza Venezia 11, 00187 Roma",
        "www.garanteprivacy.it",
    ),
    "LT": _of("Valstybinė duomenų apsaugos inspekcija", "L. Sapiegos g. 17, 10312 Vilnius", "vdai.lrv.lt"),
    "LU": _of(
        "Commission nationale pour la protection des données",
        "15 boulevard du Jazz, 4370 Belvaux",
        "cnpd.public.lu",
    ),
    "LV": _of("Datu valsts inspekcija", "Elijas iela 17, Rīga, LV-1050", "www.dvi.gov.lv"),
    "MT": _of("Office of the Information and Data Protection Commissioner", "Sliema", "idpc.org.mt"),
    "NL": _of(
        "Autoriteit Persoonsgegevens",
        "Postbus 93374, 2509 AJ Den Haag",
        "www.autoriteitpersoonsgegevens.nl",
    ),
    "PL": _of("Urząd Ochrony Danych Osobowych", "Warszawa", "uodo.gov.pl"),
    "PT": _of(
        "Comissão Nacional de Proteção de Dados", "Av. D. Carlos I, 134, 1.º, 1200-651 Lisboa", "www.cnpd.pt"
    ),
    "RO": _of(
        "Autoritatea Națională de Supraveghere a Prelucrării Datelor cu Caracter Personal",
        "B-dul G-ral. Gheorghe Magheru 28–30, Sector 1, 010336 București",
        "www.dataprotection.ro",
    ),
    "SE": _of("Integritetsskyddsmyndigheten", "Box 8114, 104 20 Stockholm", "www.imy.se"),
    "SI": _of("Informacijski pooblaščenec", "Dunajska cesta 22, 1000 Ljubljana", "www.ip-rs.si"),
    "SK": _of("Úrad na ochranu osobných údajov Slovenskej republiky", "Bratislava", "dataprotection.gov.sk"),
    # the rest of the European Economic Area
    "IS": _of("Persónuvernd", "Reykjavík", "www.personuvernd.is"),
    "LI": _of(
        "Datenschutzstelle Fürstentum Liechtenstein", "Städtle 38, 9490 Vaduz", "www.datenschutzstelle.li"
    ),
    "NO": _of("Datatilsynet", "Postboks 458 Sentrum, 0105 Oslo", "www.datatilsynet.no"),
    # others with a law of their own that people turn to us by
    "GB": _of(
        "Information Commissioner’s Office",
        "Wycliffe House, Water Lane, Wilmslow, Cheshire SK9 5AF",
        "ico.org.uk",
    ),
    "CH": _of(
        "Eidgenössischer Datenschutz- und Öffentlichkeitsbeauftragter",
        "Feldeggweg 1, 3003 Bern",
        "www.edoeb.admin.ch",
    ),
    "US": _of(
        "California Privacy Protection Agency; besides it the Attorney General, oag.ca.gov/privacy",
        "Sacramento, California",
        "cppa.ca.gov",
    ),
}
_OTHER_CODES: Final = {"UK": "GB", "EL": "GR"}
ELSEWHERE: Final = Authority(
    "The data-protection authority of your country, or of the country in the EU where you live or work",
    "",
    "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en",
)


def authority_of(country: str) -> Authority:
    """Return the authority of a country (ISO 3166, two letters); elsewhere a list to find one's own in."""
    code = country.strip().upper()
    return AUTHORITIES.get(_OTHER_CODES.get(code, code), ELSEWHERE)
