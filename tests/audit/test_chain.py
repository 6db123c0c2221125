"""The chain, pure: one byte string for an event, one link for a byte string."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.chain import GENESIS, address, canonical, link, stamp

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_what_json_gives_back_reads_the_same(fields: dict[str, Any]) -> None:
    once = canonical(fields)
    assert once.isascii()
    assert canonical(json.loads(once)) == once


def test_the_order_of_keys_does_not_matter() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": 3}}) == b'{"a":{"c":3,"d":2},"b":1}'
    assert canonical({"a": {"c": 3, "d": 2}, "b": 1}) == b'{"a":{"c":3,"d":2},"b":1}'


def test_nothing_but_json_is_taken() -> None:
    for wrong in (datetime(2026, 1, 1, tzinfo=UTC), b"bytes", {1, 2}):
        with pytest.raises(TypeError):
            canonical({"a": wrong})


def test_a_stamp_is_utc_with_microseconds() -> None:
    berlin = timezone(timedelta(hours=1))
    assert stamp(datetime(2026, 11, 23, 10, 30, tzinfo=berlin)) == "2026-11-23T09:30:00.000000Z"
    assert stamp(datetime(2026, 11, 23, 9, 30, 0, 5, tzinfo=UTC)) == "2026-11-23T09:30:00.000005Z"


@pytest.mark.parametrize(
    ("ip", "written"),
    [
        (None, None),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:0db8:0000:0000:0000:0000:0000:0001"),
        ("::ffff:192.0.2.1", "0000:0000:0000:0000:0000:ffff:c000:0201"),
        ("::ffff:c000:201", "0000:0000:0000:0000:0000:ffff:c000:0201"),
    ],
)
def test_an_address_is_written_in_one_way(ip: str | None, written: str | None) -> None:
    assert address(ip) == written


def test_a_link_is_sha_256_over_a_label_the_link_before_and_the_event() -> None:
    expected = hashlib.sha256(b"proecommerce-audit-1\0" + bytes(32) + b"{}").digest()
    assert link(GENESIS, b"{}") == expected
    assert link(expected, b"{}") != expected
    assert not any(GENESIS)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=60), st.binary(max_size=60))
def test_other_events_have_other_links(prev: bytes, one: bytes, other: bytes) -> None:
    assert (link(prev, one) == link(prev, other)) == (one == other)
