"""Argon2id with parameters that a busy log-in page can bear, and the hashes that imports bring along."""

import re

import bcrypt
from django.contrib.auth.hashers import Argon2PasswordHasher, BCryptPasswordHasher

BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}\Z")

LOOKED_AT = 72  # bytes, by bcrypt


class HashRefused(ValueError):
    """Not a hash that could ever be checked here."""


class Argon2id(Argon2PasswordHasher):
    """About 20 ms and 19 MiB a check; Django's default of 100 MiB lets a hundred log-ins take 10 GB."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


class ImportedBcrypt(BCryptPasswordHasher):
    """Checks the bcrypt hashes that PHP and others make, so that they can be renewed at log-in.

    Those look at 72 bytes and no more: a longer password is refused, since nobody knows how it went on. Its
    owner sets another by the mailed link.
    """

    def verify(self, password: str, encoded: str) -> bool:
        _, stored = encoded.split("$", 1)
        typed = password.encode("utf-8", "surrogatepass")
        try:
            # Checked all the same, so that it takes as long.
            return bcrypt.checkpw(typed[:LOOKED_AT], stored.encode("ascii")) and len(typed) <= LOOKED_AT
        except ValueError:
            return False

    def encode(self, password: str, salt: str | bytes) -> str:
        raise NotImplementedError("No new password is hashed with bcrypt.")

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing: a hash of this kind is replaced, not imitated."""


def imported(encoded: str) -> str:
    """Return how a bcrypt hash of another system (`$2y$10$…`) is kept here; raises `HashRefused`."""
    if not BCRYPT.match(encoded):
        raise HashRefused("This is no bcrypt hash ($2a$, $2b$ or $2y$ with a cost of 4 to 14).")
    return f"bcrypt${encoded}"
