import json
import logging
import os
import threading
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.vault.aws import REGION, dead_endpoint, wait_until
from tests.vault.conftest import OwnSecretsManager
from vault import keyring
from vault.errors import VaultError, VaultUnavailable
from vault.keyring import Keyring
from vault.secrets_gateway import SecretChanged, SecretExists, SecretMissing, SecretsManager

CONTEXT = b"test"


def _keys_in(aws: OwnSecretsManager) -> dict[str, str]:
    keys: dict[str, str] = json.loads(aws.store.read(aws.name).text)["keys"]
    return keys


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _ring_with(clock: Clock, aws: OwnSecretsManager) -> Keyring:
    return Keyring(SecretsManager(region=REGION, endpoint=aws.endpoint), aws.name, monotonic=clock)


def test_the_first_use_creates_one_key_of_256_bits(aws: OwnSecretsManager) -> None:
    with pytest.raises(SecretMissing):
        aws.store.read(aws.name)
    kek = aws.ring().current()
    keys = _keys_in(aws)
    assert list(keys) == [kek.version]
    assert len(b64decode(keys[kek.version], validate=True)) == 32


def test_a_second_process_takes_the_same_key(aws: OwnSecretsManager) -> None:
    first, second = aws.ring().current(), aws.ring().current()
    assert first.version == second.version
    sealed = first.key.encrypt(b"x", context=CONTEXT)
    assert second.key.decrypt(sealed, context=CONTEXT) == b"x"


def test_sixteen_threads_that_start_at_once_make_one_key(aws: OwnSecretsManager) -> None:
    start = threading.Barrier(16)

    def begin(ring: Keyring) -> tuple[str, bytes]:
        start.wait()
        kek = ring.current()
        return kek.version, kek.key.encrypt(b"x", context=CONTEXT)

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(begin, [aws.ring() for _ in range(16)]))
    assert len({version for version, _ in results}) == 1
    assert len(_keys_in(aws)) == 1
    key = aws.ring().current().key
    assert all(key.decrypt(sealed, context=CONTEXT) == b"x" for _, sealed in results)


def test_threads_of_one_process_read_the_secret_once(aws: OwnSecretsManager) -> None:
    reads: list[str] = []

    class Counting(SecretsManager):
        def read(self, name: str):  # type: ignore[no-untyped-def]
            reads.append(name)
            return super().read(name)

    aws.ring().current()
    ring = Keyring(Counting(region=REGION, endpoint=aws.endpoint), aws.name)
    with ThreadPoolExecutor(8) as pool:
        assert len({k.version for k in pool.map(lambda _: ring.current(), range(32))}) == 1
    assert len(reads) == 1


def test_a_start_without_secrets_manager_fails_and_says_what_to_do(aws: OwnSecretsManager) -> None:
    ring = Keyring(SecretsManager(region=REGION, endpoint=dead_endpoint()), aws.name)
    with pytest.raises(VaultUnavailable) as caught:
        ring.current()
    message = str(caught.value)
    for word in (aws.name, "AWS_ENDPOINT_URL", "127.0.0.1", "credentials", "start again"):
        assert word in message


def test_a_start_without_credentials_fails_and_says_so(
    aws: OwnSecretsManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(VaultUnavailable, match=r"NoCredentialsError.*credentials"):
        aws.ring().current()


def test_a_warm_process_goes_on_while_secrets_manager_is_down(
    aws: OwnSecretsManager, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    ring = _ring_with(clock, aws)
    before = ring.current()
    sealed = before.key.encrypt(b"x", context=CONTEXT)
    aws.server.stop()
    try:
        clock.now += keyring.REFRESH_SECONDS + 1
        assert ring.current().version == before.version
        assert wait_until(lambda: "going on with the key-encryption keys" in caplog.text, seconds=20)
        clock.now += keyring.REFRESH_SECONDS + 1
        assert ring.version(before.version).key.decrypt(sealed, context=CONTEXT) == b"x"
        with pytest.raises(VaultUnavailable):
            aws.ring().current()
    finally:
        aws.server.start()
    assert aws.ring().current().version == before.version


def test_a_new_version_is_learned_behind_the_callers(aws: OwnSecretsManager) -> None:
    clock = Clock()
    ring = _ring_with(clock, aws)
    old = ring.current().version
    new = aws.ring().add_version()
    assert ring.current().version == old
    clock.now += keyring.REFRESH_SECONDS + 1
    ring.current()
    assert wait_until(lambda: ring.current().version == new)


def test_what_was_in_the_secret_for_a_while_is_had_without_secrets_manager(aws: OwnSecretsManager) -> None:
    """For so long a rotation waits before it wraps anything by a new version."""
    clock = Clock()
    ring = _ring_with(clock, aws)
    ring.current()
    clock.now += keyring.REFRESH_SECONDS - 1
    new = aws.ring().add_version()
    clock.now += keyring.SPREAD_SECONDS
    ring.current()
    assert wait_until(lambda: ring.current().version == new)
    aws.server.stop()
    try:
        assert ring.version(new).version == new
    finally:
        aws.server.start()


def test_an_unknown_version_is_asked_for_at_once_and_then_not_again_and_again(
    aws: OwnSecretsManager,
) -> None:
    clock = Clock()
    ring = _ring_with(clock, aws)
    old = ring.current().version
    new = aws.ring().add_version()
    assert ring.version(new).version == new
    newer = aws.ring().add_version()
    assert ring.version(newer).version == newer  # a rotation that was killed and run again
    assert ring.version(old).version == old
    with pytest.raises(VaultError, match="has no key-encryption key 'nosuch'"):
        ring.version("nosuch")
    third = aws.ring().add_version()
    with pytest.raises(VaultError):
        ring.version(third)
    clock.now += keyring.UNKNOWN_RETRY_SECONDS + 1
    assert ring.version(third).version == third


def test_adding_a_version_keeps_the_old_keys(aws: OwnSecretsManager) -> None:
    ring = aws.ring()
    old = ring.current()
    old_keys = _keys_in(aws)
    new = ring.add_version()
    assert ring.current().version == new != old.version
    assert _keys_in(aws)[old.version] == old_keys[old.version]
    assert aws.ring().version(old.version).key.decrypt(
        old.key.encrypt(b"x", context=CONTEXT), context=CONTEXT
    ) == (b"x")


def test_two_who_rotate_at_once_do_not_lose_each_others_key(aws: OwnSecretsManager) -> None:
    aws.ring().current()
    was = aws.store.read(aws.name)
    aws.ring().add_version()
    with pytest.raises(SecretChanged, match="Run it again"):
        aws.store.replace(aws.name, was.text, was=was)
    assert len(_keys_in(aws)) == 2


def test_a_secret_that_exists_is_not_created_over(aws: OwnSecretsManager) -> None:
    aws.store.create(aws.name, "first")
    with pytest.raises(SecretExists):
        aws.store.create(aws.name, "second")
    assert aws.store.read(aws.name).text == "first"


def test_a_process_that_holds_a_lost_key_keeps_it_and_cries(
    aws: OwnSecretsManager, caplog: pytest.LogCaptureFixture
) -> None:
    ring = aws.ring()
    old = ring.current()
    other = OwnSecretsManager(aws.server, aws.endpoint, aws.store, f"{aws.name}-other")
    other.ring().current()
    aws.store.replace(aws.name, aws.store.read(other.name).text, was=aws.store.read(aws.name))
    ring.refresh()
    assert ring.current().version != old.version
    assert ring.version(old.version).version == old.version
    assert "has lost the key-encryption keys" in caplog.text and old.version in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "canary-not-json",
        '"canary"',
        '{"current": "1", "keys": ["canary"]}',
        '{"current": "2", "keys": {"1": "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E="}}',
        '{"current": "1", "keys": {"1": "canary"}}',
        '{"current": "1", "keys": {"1": "Y2FuYXJ5"}}',
        '{"current": [], "keys": {"1": "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2E="}}',
    ],
)
def test_a_damaged_secret_stops_the_start_without_being_shown(aws: OwnSecretsManager, text: str) -> None:
    aws.store.create(aws.name, text)
    with pytest.raises(VaultError, match="is not of the form") as caught:
        aws.ring().current()
    error: BaseException | None = caught.value
    while error is not None:
        shown = f"{error!r} {error} {vars(error)}"
        assert "canary" not in shown and "Y2FuYXJ5" not in shown
        error = error.__cause__ or error.__context__


def test_no_key_reaches_the_logs_even_at_debug(
    aws: OwnSecretsManager, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        ring = aws.ring()
        ring.current()
        ring.add_version()
        ring.refresh()
    for key in _keys_in(aws).values():
        assert key not in caplog.text
    assert "creating the secret" in caplog.text
    assert all(key not in repr(vars(ring)) for key in _keys_in(aws).values())
    assert "keys" not in repr(aws.store.read(aws.name))


def test_a_forked_child_does_not_inherit_a_held_lock(aws: OwnSecretsManager) -> None:
    ring = aws.ring()
    keyring._rings[aws.name, REGION, aws.endpoint] = ring
    ring._loading.acquire()
    try:
        child = os.fork()
        if child == 0:
            os._exit(0 if ring._loading.acquire(timeout=2) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        ring._loading.release()
        del keyring._rings[aws.name, REGION, aws.endpoint]
