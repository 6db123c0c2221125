"""Currencies: which exist, their smallest charge, and the fee that Stripe takes, in whole minor units."""

from sandbox.stripe.errors import bad_params, invalid

_EVERY = (
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd "
    "cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd "
    "hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl "
    "mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr "
    "pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd "
    "tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw "
)
_ALL = frozenset(_EVERY.split())
_THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
_SMALLEST = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300,
    "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
# The fixed part of a card fee: what 30 US cents are, roughly, in the currency's minor units.
_FIXED_FEE = {
    "usd": 30, "aed": 100, "aud": 30, "cad": 30, "chf": 30, "czk": 700, "dkk": 180, "eur": 25,
    "gbp": 20, "hkd": 235,
    "huf": 8500, "inr": 300, "jpy": 40, "krw": 400, "mxn": 300, "myr": 100, "nok": 200, "nzd": 30,
    "pln": 100, "ron": 100,
    "sek": 180, "sgd": 50, "thb": 1000, "bhd": 110, "jod": 210, "kwd": 90, "omr": 110, "tnd": 900,
    "clp": 280, "isk": 40, "vnd": 7500, "xaf": 180, "xof": 180, "pyg": 2200, "rwf": 400, "ugx": 1100,
}  # fmt: skip
_DISPUTE_FEE = {"usd": 1500, "eur": 2000, "gbp": 2000, "jpy": 1300}
LARGEST = 99_999_999


def check_amount(amount: int, currency: str) -> None:
    """Raise as Stripe does for an amount that cannot be charged in the currency."""
    if currency not in _ALL:
        known = ", ".join(sorted(_ALL))
        message = f"Invalid currency: {currency}. Stripe currently supports these currencies: {known}"
        raise bad_params(message, code="parameter_invalid_string", param="currency")
    if amount < 1:
        raise bad_params(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount < _SMALLEST.get(currency, 1):
        message = f"Amount must be at least {_SMALLEST[currency]} in the smallest unit of {currency}"
        raise invalid(message, code="amount_too_small", param="amount", kept=False)
    if amount > LARGEST:
        message = f"Amount must be no more than {LARGEST} in the smallest unit of {currency}"
        raise invalid(message, code="amount_too_large", param="amount", kept=False)
    if currency in _THREE_DECIMALS and amount % 10:
        message = f"Invalid amount: {currency} is charged in steps of 10 of its smallest unit."
        raise bad_params(message, code="parameter_invalid_integer", param="amount")


def card_fee(amount: int, currency: str) -> int:
    """2.9 % (rounded half up) and a fixed part, never more than the amount itself."""
    return min(amount, (amount * 29 + 500) // 1000 + _FIXED_FEE.get(currency, 30))


def dispute_fee(currency: str) -> int:
    return _DISPUTE_FEE.get(currency, 50 * _FIXED_FEE.get(currency, 30))
