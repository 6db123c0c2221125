"""python -m sandbox.aws --port N --state FILE: moto's server on loopback."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import run_simple

from sandbox.aws.journal import Journal

# What an operator makes by hand in AWS, before the product starts.
ACCOUNT = "123456789012"  # moto's own, of every key that names no other
BUCKETS = ("proecommerce-files",)


class QuietHandler(MotoRequestHandler):
    """A line for what went wrong only: the log is for people."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if str(code) >= "400":
            super().log_request(code, size)


def main() -> None:
    parser = argparse.ArgumentParser(prog="sandbox.aws")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    journal = Journal(DomainDispatcherApplication(create_backend_app), options.state)
    journal.replay()
    _make_buckets()
    run_simple("127.0.0.1", options.port, journal, threaded=True, request_handler=QuietHandler)


def _make_buckets() -> None:
    backend = s3_backends[ACCOUNT]["aws"]
    for name in BUCKETS:
        if name not in backend.buckets:
            backend.create_bucket(name, "us-east-1")


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
