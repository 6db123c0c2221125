"""What tenants name, we connect to in the public internet only: a corpus of addresses that are not there."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpcore
import pytest

from tenants.addresses import is_public
from tenants.outgoing import Answer, OutgoingFailed, OutgoingRefused, check_url, fetch, resolve

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
    "fec0::1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1",
    "64:ff9b::8.8.8.8", "64:ff9b:1::7f00:1", "2002:7f00:1::",
    "2002:a9fe:a9fe::1", "2001:db8::1", "2001::1", "100::1", "3fff::1", "5f00::1", "", "localhost", "x",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"]
# Written so that a reader might take them for something else; the C library knows most of them as loopback.
DISGUISED = [
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/",
    "http://0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://localhost/", "http://localhost./",
    "http://127.0.0.1./", "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/",
    "http://017700000001/", "http://①②⑦.⓪.⓪.①/",
]  # fmt: skip
WRONG = [
    "file:///etc/passwd", "gopher://8.8.8.8/", "ftp://8.8.8.8/", "javascript:alert(1)", "data:text/html,x",
    "//8.8.8.8/", "8.8.8.8", "http://", "https:///x", "http://user@8.8.8.8/", "http://u:p@8.8.8.8/",
    "http://8.8.8.8:22/", "http://8.8.8.8:6379/", "https://8.8.8.8:80/", "http://8.8.8.8:99999/",
    "http://8.8.8.8\\@127.0.0.1/", "http://8.8.8.8 /", "http://8.8.8.8/\r\nX: y", "http://8.8.8.8/\x00",
    "http://8.8.8.8/ü", "http://[::1", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_ours_or_nobodys_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", WRONG)
def test_only_plain_web_addresses_are_asked(url: str) -> None:
    with pytest.raises(OutgoingRefused):
        check_url(url)


@pytest.mark.parametrize("url", DISGUISED)
def test_no_disguise_leads_inside(url: str, inside: "Inside") -> None:
    with pytest.raises((OutgoingRefused, OutgoingFailed)):
        fetch(url, most=100)
    assert inside.asked == []


class Inside:
    """A server on this machine that nobody may be led to, and a network that leads every address to it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.dialled: list[str] = []
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"secret")
        here = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                here.asked.append(f"{self.headers['Host']} {self.path}")
                status, headers, body = here.answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Leading(httpcore.SyncBackend):
    """Connects to the server inside, whatever address is dialled: the internet of this test."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        self.inside.dialled.append(f"{host}:{port}")
        return super().connect_tcp("127.0.0.1", self.inside.server.server_port)


@pytest.fixture
def inside() -> Iterator[Inside]:
    server = Inside()
    yield server
    server.server.shutdown()
    server.server.server_close()


def test_what_was_checked_is_what_is_dialled(inside: Inside) -> None:
    """A name whose answer changes between two questions is asked once."""
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    found = fetch(
        "http://rebinding.example/x", most=100, resolving=lambda *_: next(answers), network=Leading(inside)
    )
    assert found == Answer(200, b"secret")
    assert inside.dialled == ["8.8.8.8:80"]
    assert inside.asked == ["rebinding.example /x"]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1", "8.8.8.8"], []])
def test_one_private_address_among_them_is_enough_to_refuse(inside: Inside, addresses: list[str]) -> None:
    with pytest.raises(OutgoingRefused, match="public"):
        fetch("http://mixed.example/", most=100, resolving=lambda *_: addresses, network=Leading(inside))
    assert inside.dialled == []


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1/", "http://169.254.169.254/", "//evil.example/", "/elsewhere"]
)
def test_a_redirect_is_an_answer_and_not_followed(inside: Inside, target: str) -> None:
    inside.answer = (302, {"Location": target}, b"")
    found = fetch("http://a.example/", most=100, resolving=lambda *_: ["8.8.8.8"], network=Leading(inside))
    assert found.status == 302
    assert len(inside.asked) == 1


def test_no_more_is_read_than_was_asked_for(inside: Inside) -> None:
    inside.answer = (200, {}, b"x" * 5_000_000)
    found = fetch("http://a.example/", most=64, resolving=lambda *_: ["8.8.8.8"], network=Leading(inside))
    assert found.body == b"x" * 64


def test_a_server_that_is_not_there_is_told_apart_from_one_that_may_not_be_asked() -> None:
    def gone(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(OutgoingFailed):
        fetch("http://nobody.example/", most=1, resolving=gone)


def test_names_are_resolved_by_the_machine() -> None:
    assert "127.0.0.1" in resolve("127.0.0.1", 80)
