"""The key that signs checkpoints of the audit record: an Ed25519 key in Secrets Manager, made on first use.

Held in memory once it was read. Public keys are no secret: whoever checks needs nothing else.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from vault.errors import VaultError
from vault.secrets_gateway import SecretExists, SecretMissing, SecretsManager, SecretStore


@dataclass(frozen=True, slots=True)
class Signer:
    """The current key, and the public halves of all that there have been, by id."""

    key_id: str
    public_keys: Mapping[str, bytes]
    _key: Ed25519PrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data`, 64 bytes."""
        return self._key.sign(data)


def is_signed(data: bytes, signature: bytes, public_key: bytes) -> bool:
    """Tell whether the signature is that key's, of exactly this."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


@sensitive_variables("text")
def load(store: SecretStore, name: str) -> Signer:
    """Read the keys from the secret, making the first one where there is none."""
    try:
        text = store.read(name).text
    except SecretMissing:
        with suppress(SecretExists):
            store.create(name, _first())
        text = store.read(name).text
    signer = _parse(text)
    if signer is None:
        raise VaultError(
            f'The secret {name} is not of the form {{"current": ID, "keys": {{ID: 32 bytes in base64}}}}. '
            "Restore its previous version."
        )
    return signer


_signers: dict[tuple[str, str, str | None], Signer] = {}


def get_signer() -> Signer:
    """Return this process's signer, as the settings have it."""
    name = f"{settings.SECRETS_PREFIX}/audit-signing"
    place = (name, settings.AWS_DEFAULT_REGION, settings.AWS_ENDPOINT_URL)
    if place not in _signers:
        _signers[place] = load(SecretsManager(region=place[1], endpoint=place[2]), name)
    return _signers[place]


@sensitive_variables()
def _first() -> str:
    key_id = uuid4().hex[:12]
    material = Ed25519PrivateKey.generate().private_bytes_raw()
    return json.dumps({"current": key_id, "keys": {key_id: b64encode(material).decode()}})


@sensitive_variables()
def _parse(text: str) -> Signer | None:
    try:
        data = json.loads(text)
        keys = {
            str(key_id): Ed25519PrivateKey.from_private_bytes(b64decode(material, validate=True))
            for key_id, material in data["keys"].items()
        }
        public = {key_id: key.public_key().public_bytes_raw() for key_id, key in keys.items()}
        return Signer(data["current"], public, keys[data["current"]])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
