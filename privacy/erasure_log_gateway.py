"""Gateway to the S3 bucket of the log of erasures: who was erased, by id, for whoever restores a backup."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from vault.aws_gateway import Service

PREFIX = "erasures/"


class LogUnavailable(RuntimeError):
    """The bucket did not answer, or refused: to be tried again."""


_services: dict[str | None, Service] = {}


def put(key: str, entry: dict[str, str]) -> None:
    """Write one entry; the same key again changes nothing."""
    with _translated():
        _client().put_object(
            Bucket=_bucket(), Key=f"{PREFIX}{key}", Body=json.dumps(entry).encode(),
            ContentType="application/json", ServerSideEncryption="AES256",
        )  # fmt: skip


def entries() -> Iterator[dict[str, str]]:
    """Return every entry, in the order of the keys."""
    with _translated():
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=_bucket(), Prefix=PREFIX)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    for key in keys:
        with _translated():
            yield json.loads(_client().get_object(Bucket=_bucket(), Key=key)["Body"].read())


def is_set() -> bool:
    """Tell whether there is a bucket to write to."""
    return bool(settings.ERASURE_BUCKET)


def _bucket() -> str:
    return str(settings.ERASURE_BUCKET)


def _client() -> Any:
    endpoint = settings.AWS_ENDPOINT_URL
    if endpoint not in _services:
        region = settings.AWS_DEFAULT_REGION
        _services[endpoint] = Service("s3", region=region, endpoint=endpoint, read_timeout=20)
    return _services[endpoint].client()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise LogUnavailable(
            f"The log of erasures could not be reached ({type(error).__name__}). Check ERASURE_BUCKET, the "
            "AWS credentials and their policy."
        ) from error
