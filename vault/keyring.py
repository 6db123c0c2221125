"""Key-encryption keys: read from Secrets Manager, held in the memory of this process, refreshed behind it.

Once they have been read, Secrets Manager may be away for as long as it likes.
"""

import json
import logging
import os
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import final
from uuid import uuid4

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from vault.envelope import KEY_BYTES, SecretKey
from vault.errors import VaultError, VaultUnavailable
from vault.secrets_gateway import SecretExists, SecretMissing, SecretsManager, SecretStore, StoredSecret

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 300.0
# A version that has been in the secret for so long is in the memory of every process that has anything to do.
SPREAD_SECONDS = REFRESH_SECONDS + 30
RETRY_SECONDS = 60.0
UNKNOWN_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class KeyEncryptionKey:
    """One version of the key that data keys are wrapped by."""

    version: str
    key: SecretKey


@dataclass(frozen=True, slots=True)
class KeySet:
    """All versions, one of them current."""

    current: str
    keys: Mapping[str, SecretKey]


@final
class Keyring:
    """The key-encryption keys of one secret. Safe for threads."""

    def __init__(
        self, store: SecretStore, name: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._name = name
        self._monotonic = monotonic
        self._held: KeySet | None = None
        self._refresh_at = 0.0
        self._unknown_at = 0.0
        self.renew_locks()

    def renew_locks(self) -> None:
        """Start with free locks; a forked child may have inherited held ones."""
        self._loading = threading.Lock()
        self._refreshing = threading.Lock()

    def current(self) -> KeyEncryptionKey:
        """Return the version that new data keys are wrapped by."""
        held = self._keys()
        return KeyEncryptionKey(held.current, held.keys[held.current])

    def version(self, version: str) -> KeyEncryptionKey:
        """Return `version`, asking Secrets Manager again when it is not known here yet."""
        key = self._keys().keys.get(version) or self._ask_for(version)
        if key is None:
            raise VaultError(
                f"The secret {self._name} has no key-encryption key {version!r}, by which data of this "
                "schema is sealed. Was the secret replaced, or the database restored elsewhere? Put that "
                "version back."
            )
        return KeyEncryptionKey(version, key)

    def refresh(self) -> None:
        """Read the secret now."""
        self._take(self._parse(self._store.read(self._name)))

    @sensitive_variables("text")
    def add_version(self) -> str:
        """Add a new key to the secret, make it current, and return its version."""
        stored = self._store.read(self._name)
        old = self._parse(stored)
        version, text = _compose(stored.text)
        self._store.replace(self._name, text, was=stored)
        logger.info("key-encryption key %s follows %s", version, old.current)
        self.refresh()
        return version

    def _keys(self) -> KeySet:
        held = self._held
        if held is None:
            return self._load_first()
        if self._monotonic() >= self._refresh_at:
            self._refresh_behind()
        return held

    def _load_first(self) -> KeySet:
        with self._loading:
            if self._held is None:
                self._take(self._parse(self._read_or_create()))
            assert self._held is not None
            return self._held

    def _read_or_create(self) -> StoredSecret:
        try:
            return self._store.read(self._name)
        except SecretMissing:
            logger.warning("creating the secret %s with a first key-encryption key", self._name)
        with suppress(SecretExists):  # whoever was first has made the key that all use
            self._store.create(self._name, _compose(None)[1])
        for pause in (0.0, 0.2, 1.0):  # a new secret may take a moment to be seen
            time.sleep(pause)
            try:
                return self._store.read(self._name)
            except SecretMissing:
                continue
        raise VaultUnavailable(f"The secret {self._name} was created but cannot be read yet. Start again.")

    def _ask_for(self, version: str) -> SecretKey | None:
        with self._loading:
            held = self._held
            if held is not None and version not in held.keys and self._monotonic() >= self._unknown_at:
                self._unknown_at = self._monotonic() + UNKNOWN_RETRY_SECONDS
                self.refresh()
                held = self._held
                if held is not None and version in held.keys:
                    self._unknown_at = 0.0  # it is no forgery, and the next one may follow soon
            return held.keys.get(version) if held is not None else None

    def _refresh_behind(self) -> None:
        """Read the secret in a thread of its own: no caller waits, and a failure changes nothing."""
        refreshing = self._refreshing
        if not refreshing.acquire(blocking=False):
            return
        self._refresh_at = self._monotonic() + RETRY_SECONDS

        def work() -> None:
            try:
                self.refresh()
            except VaultError as error:
                logger.warning("going on with the key-encryption keys in memory: %s", error)
            finally:
                refreshing.release()

        threading.Thread(target=work, name="vault-refresh", daemon=True).start()

    def _take(self, fresh: KeySet) -> None:
        held = self._held.keys if self._held is not None else {}
        lost = sorted(held.keys() - fresh.keys.keys())
        if lost:
            logger.error(
                "the secret %s has lost the key-encryption keys %s; this process still holds them: do not "
                "stop it before the secret is restored",
                self._name,
                ", ".join(lost),
            )
        self._held = KeySet(fresh.current, {**held, **fresh.keys})
        self._refresh_at = self._monotonic() + REFRESH_SECONDS

    def _parse(self, stored: StoredSecret) -> KeySet:
        keys = _parse(stored.text)
        if keys is None:  # raised here, so that no traceback holds the text
            raise VaultError(
                f"The secret {self._name} is not of the form "
                '{"current": VERSION, "keys": {VERSION: 32 bytes in base64}}. Restore its previous version.'
            )
        return keys


@sensitive_variables()
def _parse(text: str) -> KeySet | None:
    try:
        data = json.loads(text)
        keys = {str(v): SecretKey(b64decode(k, validate=True)) for v, k in data["keys"].items()}
        return KeySet(data["current"], keys) if data["current"] in keys else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


@sensitive_variables()
def _compose(text: str | None) -> tuple[str, str]:
    """Return a new version's name, and the secret's text with its key added and current."""
    keys = json.loads(text)["keys"] if text else {}
    version = uuid4().hex[:12]  # never used before, so that a lost key is missed by name
    keys[version] = b64encode(os.urandom(KEY_BYTES)).decode()
    return version, json.dumps({"current": version, "keys": keys})


_rings: dict[tuple[str, str, str | None], Keyring] = {}


def get_keyring() -> Keyring:
    """Return this process's keyring, as the settings have it."""
    name = f"{settings.SECRETS_PREFIX}/kek"
    place = (name, settings.AWS_DEFAULT_REGION, settings.AWS_ENDPOINT_URL)
    ring = _rings.get(place)
    if ring is None:
        ring = _rings.setdefault(place, Keyring(SecretsManager(region=place[1], endpoint=place[2]), name))
    return ring


def warm_up() -> None:
    """Read the keys now, creating the first one where allowed; a process that cannot must not start."""
    get_keyring().current()


def _renew_locks() -> None:
    for ring in _rings.values():
        ring.renew_locks()


os.register_at_fork(after_in_child=_renew_locks)
