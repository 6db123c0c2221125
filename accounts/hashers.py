"""Argon2id with parameters that a busy log-in page can bear (OWASP password storage cheat sheet)."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """About 20 ms and 19 MiB a check; Django's default of 100 MiB lets a hundred log-ins take 10 GB."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
