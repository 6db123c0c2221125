"""Countries, currencies and time zones, checked and named: pure."""

from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from django.core.exceptions import ValidationError

NOT_COUNTRIES = frozenset(
    {"AC", "CP", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}
)
CURRENCIES = (
    "AED", "ARS", "AUD", "BHD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP",
    "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JOD", "JPY", "KES", "KRW", "KWD", "MAD", "MXN", "MYR", "NGN",
    "NOK", "NZD", "OMR", "PEN", "PHP", "PKR", "PLN", "RON", "SAR", "SEK", "SGD", "THB", "TND", "TRY", "TWD",
    "UAH", "USD", "UYU", "VND", "ZAR",
)  # fmt: skip


@cache
def country_choices(locale: str = "en") -> tuple[tuple[str, str], ...]:
    """Return (code, name) of every country, by name."""
    names = {str(code): str(name) for code, name in Locale.parse(locale).territories.items()}
    codes = [code for code in names if len(code) == 2 and code.isalpha() and code not in NOT_COUNTRIES]
    return tuple(sorted(((code, names[code]) for code in codes), key=lambda pair: pair[1]))


@cache
def currency_choices(locale: str = "en") -> tuple[tuple[str, str], ...]:
    """Return (code, "code – name") of the currencies that we bill in."""
    names = Locale.parse(locale).currencies
    return tuple((code, f"{code} – {names.get(code, code)}") for code in CURRENCIES)


@cache
def time_zone_choices() -> tuple[tuple[str, str], ...]:
    """Return (name, name) of the IANA zones that name a place."""
    places = {
        z
        for z in available_timezones()
        if "/" in z and not z.startswith(("Etc/", "SystemV/", "posix", "right"))
    }
    return tuple((name, name.replace("_", " ")) for name in ["UTC", *sorted(places)])


def check_country(code: str) -> str:
    """Return the code in upper case; raises ValidationError."""
    upper = code.strip().upper()
    if upper not in dict(country_choices()):
        raise ValidationError(f"{code!r} is not a country; use an ISO 3166 code like DE or US.")
    return upper


def check_currency(code: str) -> str:
    """Return the code in upper case; raises ValidationError."""
    upper = code.strip().upper()
    if upper not in CURRENCIES:
        raise ValidationError(
            f"{code!r} is not a currency that we bill in; use an ISO 4217 code like EUR or USD."
        )
    return upper


def check_time_zone(name: str) -> str:
    """Return the name; raises ValidationError."""
    if name.strip() not in dict(time_zone_choices()):
        raise ValidationError(f"{name!r} is not a time zone; use an IANA name like Europe/Berlin.")
    return name.strip()
