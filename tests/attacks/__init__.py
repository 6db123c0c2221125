"""Attacks, named by number: a authorisation, l log-in, w webhooks, i injection, s files, t transport.

They are direct and small, to be read and run as one; the same walls have longer proofs of their own under
tests/wall, tests/guards, tests/accounts, tests/tenants and tests/deploy. Numbers of no test here stand below.
"""

FAMILIES = {"a": 12, "l": 15, "w": 10, "i": 11, "s": 4, "t": 8}
# Number: why there is nothing to attack.
DOES_NOT_APPLY = {
    "i8": "no DNS record or zone file is written yet: the product registers no domains",
    "i9": "no server is provisioned yet: nothing is run over SSH or by a panel",
}
