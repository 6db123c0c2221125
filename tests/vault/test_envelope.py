import copy
import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.envelope import NONCE_BYTES, TAG_BYTES, SecretKey, encode_context
from vault.errors import SealBroken


def test_what_was_encrypted_comes_back() -> None:
    key = SecretKey(os.urandom(32))
    assert key.decrypt(key.encrypt(b"sk_live", context=b"here"), context=b"here") == b"sk_live"


def test_each_flipped_byte_is_noticed() -> None:
    key = SecretKey(os.urandom(32))
    sealed = key.encrypt(b"sk_live", context=b"here")
    for at in range(len(sealed)):
        flipped = bytearray(sealed)
        flipped[at] ^= 1
        assert bytes(flipped) != sealed
        with pytest.raises(SealBroken):
            key.decrypt(bytes(flipped), context=b"here")


def test_another_context_key_or_length_is_refused() -> None:
    key = SecretKey(os.urandom(32))
    sealed = key.encrypt(b"sk_live", context=b"here")
    with pytest.raises(SealBroken):
        key.decrypt(sealed, context=b"there")
    with pytest.raises(SealBroken):
        SecretKey(os.urandom(32)).decrypt(sealed, context=b"here")
    for length in range(NONCE_BYTES + TAG_BYTES):
        with pytest.raises(SealBroken):
            key.decrypt(sealed[:length], context=b"here")


def test_no_nonce_is_used_twice() -> None:
    key = SecretKey(os.urandom(32))
    assert len({key.encrypt(b"", context=b"")[:NONCE_BYTES] for _ in range(1000)}) == 1000


def test_a_key_of_another_length_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match="32 bytes") as caught:
        SecretKey(b"sixteen-bytes!!!")
    assert "sixteen" not in str(caught.value)


def test_a_key_neither_shows_nor_pickles_nor_copies_itself() -> None:
    material = os.urandom(32)
    key = SecretKey(material)
    assert repr(key) == str(key) == "SecretKey(…)"
    assert not hasattr(key, "__dict__")
    for leave in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="stays"):
            leave(key)


@given(st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=5))
def test_different_parts_never_give_the_same_context(one: list[str], two: list[str]) -> None:
    assert (encode_context("p", *one) == encode_context("p", *two)) == (one == two)


def test_parts_cannot_slide_into_each_other() -> None:
    assert encode_context("p", "ab", "c") != encode_context("p", "a", "bc")
    assert encode_context("p", "a", "") != encode_context("p", "", "a")
    assert encode_context("p", "a\x00\x00\x00\x01b") != encode_context("p", "a", "b")
