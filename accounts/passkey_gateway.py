"""The only importer of the WebAuthn library: options for browsers out, their answers checked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

REQUIRED = UserVerificationRequirement.REQUIRED


class PasskeyRefused(ValueError):
    """The answer does not prove what it should; the message is for the audit record, not for the person."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a passkey is good: the host is its relying party, and pages of no other origin may use it."""

    host: str
    origin: str
    name: str

    def at(self, host: str) -> str:
        """Return the origin of another host of the same house."""
        return self.origin.replace(f"//{self.host}", f"//{host}", 1)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a new passkey is for."""

    handle: bytes
    name: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A credential that an authenticator has just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def creation_options(
    site: Site, holder: Holder, *, challenge: bytes, known: Sequence[bytes]
) -> dict[str, Any]:
    """Return what `navigator.credentials.create` is to be asked: discoverable, and the person verified."""
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=holder.handle,
        user_name=holder.name,
        user_display_name=holder.display_name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return _plain(options)


def request_options(site: Site, *, challenge: bytes, known: Sequence[bytes]) -> dict[str, Any]:
    """Return what `navigator.credentials.get` is to be asked; none known: whichever the person has here."""
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        user_verification=REQUIRED,
    )
    return _plain(options)


def credential_id_of(answer: dict[str, Any]) -> bytes:
    """Return which credential answered; raises `PasskeyRefused`."""
    try:
        return base64url_to_bytes(answer["id"])
    except Exception as error:  # whatever a stranger sends
        raise PasskeyRefused("The answer names no credential.") from error


def holder_of(answer: dict[str, Any]) -> bytes | None:
    """Return for whom the authenticator keeps the credential, where it says so; raises `PasskeyRefused`."""
    try:
        handle = answer["response"].get("userHandle")
        return base64url_to_bytes(handle) if handle else None
    except Exception as error:
        raise PasskeyRefused("The answer is not whole.") from error


def check_creation(answer: dict[str, Any], site: Site, *, challenge: bytes) -> Made:
    """Check what an authenticator made; raises `PasskeyRefused`."""
    try:
        found = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except Exception as error:  # the library's own errors, and those of CBOR, JSON and keys beneath it
        raise PasskeyRefused(str(error)) from error
    return Made(found.credential_id, found.credential_public_key, found.sign_count)


def check_use(
    answer: dict[str, Any], site: Site, *, challenge: bytes, public_key: bytes, sign_count: int
) -> int:
    """Check an answer against the key that is known, and return its counter; raises `PasskeyRefused`."""
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except Exception as error:  # as above
        raise PasskeyRefused(str(error)) from error
    return found.new_sign_count


def _plain(options: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return plain
