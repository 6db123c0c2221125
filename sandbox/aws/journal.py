"""Remembers the requests that change something, and makes them again at the next start: moto forgets."""

import base64
import io
import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from werkzeug.test import create_environ

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
READING = ("Get", "Describe", "List", "BatchGet", "Decrypt", "Encrypt", "GenerateDataKey", "GenerateRandom")
PLAIN = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "REQUEST_URI", "RAW_URI")


def changes_something(environ: Environ) -> bool:
    """Whether the request may leave a trace on the server."""
    method = environ["REQUEST_METHOD"]
    if environ.get("PATH_INFO", "").startswith("/moto-api") or method in {"GET", "HEAD", "OPTIONS"}:
        return False
    operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    return not operation.startswith(READING)


class Journal:
    """WSGI in front of moto: one line of JSON in `file` for every change that succeeded."""

    def __init__(self, application: Application, file: Path) -> None:
        self.application = application
        self.file = file
        self.lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not changes_something(environ):
            return self.application(environ, start_response)
        body = _read(environ)
        entry = _entry(environ, body)
        environ["wsgi.input"] = io.BytesIO(body)
        statuses: list[str] = []

        def remember(status: str, *rest: Any) -> Any:
            statuses.append(status)
            return start_response(status, *rest)

        with self.lock:  # one change at a time, so that they are made again in the same order
            answer = list(self.application(environ, remember))
            if statuses and statuses[0] < "400":
                with self.file.open("a") as output:
                    output.write(json.dumps(entry) + "\n")
        return answer

    def replay(self) -> int:
        """Make every remembered change again; how many there were."""
        if not self.file.exists():
            return 0
        text = self.file.read_text()
        # A line that was cut off by a sudden end was never answered.
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self.file.write_text(whole)
        lines = whole.splitlines()
        for line in lines:
            list(self.application(_environ(json.loads(line)), lambda *_: None))
        return len(lines)


def _read(environ: Environ) -> bytes:
    source = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return bytes(source.read())
    return bytes(source.read(int(environ.get("CONTENT_LENGTH") or 0)))


def _entry(environ: Environ, body: bytes) -> dict[str, Any]:
    kept = {name: value for name, value in environ.items() if name in PLAIN or name.startswith("HTTP_")}
    names = {
        name: value for name, value in environ.items() if name.startswith("moto") and isinstance(value, dict)
    }
    return {"environ": kept | names, "body": base64.b64encode(body).decode()}


def _environ(entry: dict[str, Any]) -> Environ:
    body = base64.b64decode(entry["body"])
    kept = {name: value for name, value in entry["environ"].items() if name != "HTTP_TRANSFER_ENCODING"}
    return {
        **create_environ(method=kept["REQUEST_METHOD"]),
        **kept,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
