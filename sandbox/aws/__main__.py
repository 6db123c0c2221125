"""python -m sandbox.aws --port N --state FILE: moto's server on loopback."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import run_simple

from sandbox.aws import BUCKET, ERASURES, FILES
from sandbox.aws.journal import Journal


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
    _make_buckets()
    journal.replay()
    run_simple("127.0.0.1", options.port, journal, threaded=True, request_handler=QuietHandler)


def _make_buckets() -> None:
    """Make what an operator makes once in AWS: a bucket in which nothing can be changed, two of files."""
    s3 = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    bucket = s3.create_bucket(BUCKET, "us-east-1")
    bucket.object_lock_enabled = True
    bucket.versioning_status = "Enabled"
    for name in (FILES, ERASURES):
        s3.create_bucket(name, "us-east-1")


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
