"""Codes of authenticator apps (RFC 6238) and backup codes: pure."""

import hmac
import secrets
from datetime import datetime

import pyotp
import segno

STEP_SECONDS = 30
DIGITS = 6
# No 0, 1, I or O: read from paper, none is taken for another. 32 signs, 5 bits each.
SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODES = 10
LOOKUP = 2
CODE_LENGTH = 15  # two to find it by, thirteen (65 bits) to prove it


def new_secret() -> str:
    """Return 160 random bits in base 32, as authenticator apps take them."""
    return pyotp.random_base32(32)


def address(secret: str, *, person: str, issuer: str) -> str:
    """Return the `otpauth:` address that apps read from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=person, issuer_name=issuer.replace(":", " "))


def drawing(text: str) -> str:
    """Return a QR code as the `data:` address of an image."""
    uri: str = segno.make(text, error="m", micro=False).svg_data_uri(scale=4, border=4, light="#fff")
    return uri


def in_groups(text: str, size: int = 4, between: str = " ") -> str:
    """`ABCD EFGH`: long codes as people copy them."""
    return between.join(text[at : at + size] for at in range(0, len(text), size))


def step_at(at: datetime) -> int:
    return int(at.timestamp()) // STEP_SECONDS


def step_of(secret: str, code: str, *, at: datetime, window: int) -> int | None:
    """Return the time step that the code belongs to, or None; `window` steps each way are tried."""
    digits = "".join(code.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdecimal()):
        return None
    app, here = pyotp.TOTP(secret), step_at(at)
    fitting = [
        step
        for step in range(max(here - window, 0), here + window + 1)
        if hmac.compare_digest(app.generate_otp(step), digits)
    ]
    return max(fitting, default=None)


def new_codes() -> list[str]:
    """Return ten backup codes, no two of which begin alike."""
    found: dict[str, str] = {}
    while len(found) < CODES:
        code = "".join(secrets.choice(SIGNS) for _ in range(CODE_LENGTH))
        found.setdefault(code[:LOOKUP], code)
    return list(found.values())


def read_code(text: str) -> str:
    """Return the backup code that was typed, without dashes and blanks; "" if it is none."""
    code = "".join(sign for sign in text.upper() if sign not in " -\t")
    return code if len(code) == CODE_LENGTH and set(code) <= set(SIGNS) else ""
