"""A name server on this machine that answers what a test tells it to, over UDP."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass
class NameServer:
    """Records by name and type; `silent` answers nobody."""

    address: str
    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    silent: bool = False

    def answer(self, wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        name = query.question[0].name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        found = self.records.get((name, kind), [])
        if found:
            response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *found))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return None if self.silent else response.to_wire()


@contextmanager
def name_server() -> Iterator[NameServer]:
    """Run a name server for the block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.2)
        server = NameServer(f"127.0.0.1:{sock.getsockname()[1]}")
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                with suppress(TimeoutError, OSError):
                    wire, sender = sock.recvfrom(4096)
                    answer = server.answer(wire)
                    if answer is not None:
                        sock.sendto(answer, sender)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        done.set()
        thread.join()
