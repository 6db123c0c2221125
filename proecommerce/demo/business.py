"""The demo's businesses: what they sell, to whom, and how those pay. Invented names, reserved domains."""

from dataclasses import dataclass
from typing import Literal

from billing.periods import Cycle

Payer = Literal["autopay", "declined", "transfer", "late", "never"]


@dataclass(frozen=True, slots=True)
class Ware:
    """A product and its price points: cycle, amount and setup fee in minor units."""

    code: str
    name: str
    description: str
    prices: tuple[tuple[Cycle, int, int], ...]


@dataclass(frozen=True, slots=True)
class Client:
    """A customer: how it pays, and which products on which cycle since which day of the first month."""

    name: str
    business: str
    email: str
    street: str
    postal_code: str
    city: str
    country: str
    payer: Payer
    wares: tuple[tuple[str, Cycle, int], ...]
    locale: str = "en"
    tax_id: str = ""


@dataclass(frozen=True, slots=True)
class Business:
    """A tenant of the demo; its bookkeeper sees the invoices of two customers, and nothing else."""

    slug: str
    name: str
    country: str
    currency: str
    time_zone: str
    locale: str
    owner: tuple[str, str]
    billing: tuple[str, str]
    support: tuple[str, str]
    reader: tuple[str, str]
    bookkeeper: tuple[str, str]
    address: dict[str, str]
    brand_colour: str
    tax: tuple[tuple[str, str, int, str], ...]
    wares: tuple[Ware, ...]
    clients: tuple[Client, ...]


M, Q, Y = Cycle.MONTHLY, Cycle.QUARTERLY, Cycle.ANNUAL

ACME = Business(
    slug="acme",
    name="ACME Hosting",
    country="DE",
    currency="EUR",
    time_zone="Europe/Berlin",
    locale="en",
    owner=("Olivia Brandt", "owner@acme.example"),
    billing=("Sam Keller", "billing@acme.example"),
    support=("Lena Vogt", "support@acme.example"),
    reader=("Paul Auer", "auditor@acme.example"),
    bookkeeper=("Dora Klein", "dora@klein-steuer.example"),
    address={
        "address_line1": "Kastanienallee 12",
        "postal_code": "10435",
        "city": "Berlin",
        "country": "DE",
        "tax_id": "DE123456789",
        "email": "hello@acme.example",
        "phone": "+49 30 5550100",
    },
    brand_colour="#0b7285",
    tax=(
        ("standard", "DE", 190_000, "VAT 19 %"),
        ("reduced", "DE", 70_000, "VAT 7 %"),
        ("standard", "AT", 200_000, "VAT 20 %"),
        ("standard", "FR", 200_000, "VAT 20 %"),
        ("standard", "NL", 210_000, "VAT 21 %"),
        ("standard", "ES", 210_000, "VAT 21 %"),
        ("standard", "GR", 240_000, "VAT 24 %"),
    ),
    wares=(
        Ware("hosting-s", "Web hosting S", "10 GB, one site", ((M, 490, 0), (Y, 4900, 0))),
        Ware("hosting-m", "Web hosting M", "50 GB, five sites", ((M, 990, 0), (Y, 9900, 0))),
        Ware("hosting-l", "Web hosting L", "200 GB, any number of sites", ((M, 2490, 0), (Y, 24900, 0))),
        Ware("server-4", "Managed server 4", "4 cores, 16 GB", ((M, 7900, 4900),)),
        Ware("server-8", "Managed server 8", "8 cores, 32 GB", ((M, 14900, 4900),)),
        Ware("mail-10", "Mail, 10 boxes", "Ten mailboxes with calendar", ((M, 1200, 0), (Q, 3400, 0))),
        Ware("domain-de", "Domain .de", "Registration, a year", ((Y, 1200, 0),)),
        Ware("domain-com", "Domain .com", "Registration, a year", ((Y, 1500, 0),)),
    ),
    clients=(
        Client("Jana Wolf", "Wolf & Partner Architekten", "jana@wolf-partner.example", "Lindenstr. 4", "50674",
               "Köln", "DE", "autopay", (("hosting-l", M, 31), ("mail-10", Q, 3), ("domain-de", Y, 12)), "de", "DE811223344"),
        Client("Thomas Lang", "Lang Feinkost", "office@lang-feinkost.example", "Markt 9", "04109", "Leipzig", "DE",
               "transfer", (("hosting-m", M, 15), ("domain-de", Y, 20)), "de"),
        Client("Sophie Martin", "Atelier Martin", "sophie@atelier-martin.example", "12 rue des Lilas", "69003",
               "Lyon", "FR", "autopay", (("hosting-s", M, 30), ("domain-com", Y, 5)), "fr", "FR40303265045"),
        Client("Kees de Vries", "De Vries Fietsen", "kees@devries-fietsen.example", "Oudegracht 88", "3511 AD",
               "Utrecht", "NL", "autopay", (("hosting-m", M, 29), ("mail-10", M, 29)), "nl"),
        Client("Lucía Romero", "Romero Viajes", "lucia@romero-viajes.example", "Calle Mayor 21", "28013", "Madrid",
               "ES", "declined", (("hosting-m", M, 8),), "es"),
        Client("Νίκος Παπαδόπουλος", "Παπαδόπουλος ΑΕ", "nikos@papadopoulos.example", "Ερμού 5", "105 63", "Αθήνα",
               "GR", "late", (("hosting-l", M, 1),)),
        Client("Anna Gruber", "Gruber Alpenhotel", "anna@gruber-hotel.example", "Dorfstraße 1", "6020", "Innsbruck",
               "AT", "autopay", (("server-4", M, 18), ("domain-com", Y, 18)), "de"),
        Client("Peter Baumann", "", "peter.baumann@mail.example", "Ahornweg 7", "80331", "München", "DE", "never",
               (("hosting-s", M, 10),), "de"),
        Client("Mia Hoffmann", "Studio Hoffmann", "mia@studio-hoffmann.example", "Hafenstr. 30", "20457", "Hamburg",
               "DE", "autopay", (("server-8", M, 31), ("hosting-l", M, 31), ("domain-de", Y, 9)), "de"),
        Client("Jonas Weber", "Weber IT", "jonas@weber-it.example", "Ringstr. 55", "70173", "Stuttgart", "DE",
               "transfer", (("server-4", M, 25), ("mail-10", M, 25)), "de"),
        Client("Claire Dubois", "Librairie Dubois", "claire@librairie-dubois.example", "3 place Bellecour", "69002",
               "Lyon", "FR", "late", (("hosting-m", M, 6), ("domain-com", Y, 6)), "fr"),
        Client("Ivan Petrov", "Петров и сын", "ivan@petrov.example", "Schönhauser Allee 80", "10439", "Berlin", "DE",
               "autopay", (("hosting-m", M, 22),)),
    ),
)  # fmt: skip

NORTHWIND = Business(
    slug="northwind",
    name="Northwind Domains",
    country="US",
    currency="USD",
    time_zone="America/Chicago",
    locale="en",
    owner=("Noah Bennett", "owner@northwind.example"),
    billing=("Grace Kim", "billing@northwind.example"),
    support=("Owen Price", "support@northwind.example"),
    reader=("Ruth Adler", "auditor@northwind.example"),
    bookkeeper=("Ben Foster", "ben@foster-books.example"),
    address={
        "address_line1": "400 Wacker Drive",
        "postal_code": "60606",
        "city": "Chicago",
        "state": "Illinois",
        "country": "US",
        "email": "billing@northwind.example",
        "phone": "+1 312 555 0142",
    },
    brand_colour="#7048e8",
    tax=(),
    wares=(
        Ware("domain-com", "Domain .com", "Registration, a year", ((Y, 1499, 0),)),
        Ware("domain-io", "Domain .io", "Registration, a year", ((Y, 4900, 0),)),
        Ware("dns-pro", "DNS Pro", "Anycast DNS for ten zones", ((M, 900, 0), (Y, 9000, 0))),
        Ware("site-builder", "Site builder", "Pages without code", ((M, 1900, 0),)),
        Ware("wordpress", "Managed WordPress", "Updates, backups, caching", ((M, 2900, 1500), (Y, 29000, 0))),
    ),
    clients=(
        Client("Emily Carter", "Carter Law Group", "emily@carter-law.example", "120 Main St", "60601", "Chicago", "US",
               "autopay", (("wordpress", M, 31), ("domain-com", Y, 14))),
        Client("Michael Chen", "Chen Dental", "michael@chen-dental.example", "88 Oak Ave", "94107", "San Francisco",
               "US", "autopay", (("site-builder", M, 12), ("domain-com", Y, 12))),
        Client("山田 太郎", "山田製作所", "taro@yamada.example", "1-2-3 Ginza", "104-0061", "Tokyo", "JP",
               "autopay", (("dns-pro", M, 28), ("domain-io", Y, 28))),
        Client("Aisha Rahman", "Rahman Interiors", "aisha@rahman.example", "5 King St", "M5H 1A1", "Toronto", "CA",
               "late", (("wordpress", M, 3),)),
        Client("Carlos Diaz", "Diaz Landscaping", "carlos@diaz.example", "77 Elm St", "73301", "Austin", "US",
               "declined", (("site-builder", M, 19),)),
        Client("Hannah Brooks", "Brooks Bakery", "hannah@brooks-bakery.example", "9 River Rd", "97201", "Portland",
               "US", "transfer", (("site-builder", M, 30), ("dns-pro", M, 30))),
        Client("Liam O'Connor", "O'Connor & Sons", "liam@oconnor.example", "14 Dock St", "02110", "Boston", "US",
               "never", (("wordpress", M, 21),)),
        Client("Zoe Nguyen", "Nguyen Photo", "zoe@nguyen-photo.example", "300 Pine St", "98101", "Seattle", "US",
               "autopay", (("wordpress", M, 29), ("domain-com", Y, 2), ("domain-io", Y, 2))),
    ),
)  # fmt: skip
BUSINESSES = (ACME, NORTHWIND)
