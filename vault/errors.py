"""Errors of the vault. None of them carries key material, plaintext or ciphertext."""


class VaultError(RuntimeError):
    """Something about keys or sealed values is not as it must be."""


class VaultUnavailable(VaultError):
    """The key-encryption keys cannot be had now; the message says what to do."""


class SealBroken(VaultError):
    """A sealed value was changed, or stands where it was not sealed for."""


class Erased(VaultError):
    """The key of the person concerned is destroyed: what it sealed can never be read again."""
