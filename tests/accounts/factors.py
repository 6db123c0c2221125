"""Second factors for people in tests, and an authenticator made of software."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from os import urandom
from typing import Any

import cbor2
import pyotp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.db import connection
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from accounts import enrolling, one_time
from accounts.models import Totp, User
from audit.actors import Actor
from tenants.context import enter

SETUP = Actor.system("tests")
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def with_app(user: User, now: datetime) -> str:
    """Give the person an authenticator app, set up well before `now`, and return its secret."""
    secret = one_time.new_secret()
    Totp.objects.create(user=user, secret=secret, last_step=1, created_at=now, confirmed_at=now)
    return secret


def code_at(secret: str, at: datetime, *, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(one_time.step_at(at) + steps)


def with_codes(user: User, now: datetime) -> list[str]:
    return enrolling.make_codes(user, actor=SETUP, now=now)


def at_once(tenant: Any, tries: int, attempt: Callable[[], bool]) -> list[bool]:
    """Try so often, in sixteen threads with connections of their own."""

    def several(count: int) -> list[bool]:
        try:
            with enter(tenant):
                return [attempt() for _ in range(count)]
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        return [each for found in pool.map(several, [tries // 16] * 16) for each in found]


@dataclass
class Key:
    """An authenticator that keeps one passkey and does what it is told, forgeries included."""

    host: str = "alpha.localhost"
    origin: str = ""
    flags: int = PRESENT | VERIFIED
    count: int = 1
    handle: bytes = b""
    id: bytes = field(default_factory=lambda: urandom(32))
    private: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, asked: dict[str, Any], **changes: Any) -> str:
        """Answer `navigator.credentials.create`, as the page's script sends it on."""
        self.handle = base64url_to_bytes(asked["user"]["id"])
        numbers = self.private.public_key().public_numbers()
        point = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(point)
        data = self._data(self.flags | ATTESTED) + attested
        response = {
            "clientDataJSON": self._client("webauthn.create", asked, changes),
            "attestationObject": bytes_to_base64url(
                cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
            ),
        }
        return self._answer(response)

    def use(self, asked: dict[str, Any], **changes: Any) -> str:
        """Answer `navigator.credentials.get`."""
        data, client = self._data(self.flags), self._client("webauthn.get", asked, changes)
        signed = data + sha256(base64url_to_bytes(client)).digest()
        response = {
            "clientDataJSON": client,
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(self.private.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": bytes_to_base64url(self.handle) if self.handle else None,
        }
        return self._answer(response)

    def _data(self, flags: int) -> bytes:
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, asked: dict[str, Any], changes: dict[str, Any]) -> str:
        scheme = "https" if settings.SECURE_COOKIES else "http"
        origin = self.origin or f"{scheme}://{self.host}"
        said = {
            "type": kind,
            "challenge": asked["challenge"],
            "origin": origin,
            "crossOrigin": False,
        } | changes
        return bytes_to_base64url(json.dumps(said).encode())

    def _answer(self, response: dict[str, Any]) -> str:
        own = bytes_to_base64url(self.id)
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": response})
