"""Gateway to the private S3 bucket of files to take along: the only importer of its SDK here.

What is put there is sealed already; the bucket encrypts it once more.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

_TRANSFER = TransferConfig(multipart_threshold=16 << 20, multipart_chunksize=8 << 20, use_threads=False)


class FilesUnavailable(RuntimeError):
    """The bucket did not answer, or refused: to be tried again."""


class FileGone(FilesUnavailable):
    """There is no such file (any more)."""


class Bucket:
    """The bucket that `FILES_BUCKET` names."""

    def __init__(self, name: str, *, region: str, endpoint: str | None) -> None:
        self._name, self._region, self._endpoint = name, region, endpoint
        self._made: tuple[int, Any] = (0, None)

    def put(self, key: str, file: BinaryIO) -> None:
        """Upload the file from where it stands, in parts; an older one of the same key is replaced."""
        extra = {"ServerSideEncryption": "AES256", "ContentType": "application/octet-stream"}
        with _translating("put", key):
            self._client().upload_fileobj(file, self._name, key, ExtraArgs=extra, Config=_TRANSFER)

    def open(self, key: str) -> Any:
        """Return a stream to read the file from; raises `FileGone`."""
        with _translating("read", key):
            return self._client().get_object(Bucket=self._name, Key=key)["Body"]

    def delete(self, key: str) -> None:
        """Delete the file; nothing happens where there is none."""
        with _translating("delete", key):
            self._client().delete_object(Bucket=self._name, Key=key)

    def _client(self) -> Any:
        """Return this process's client; a forked child makes its own."""
        pid, client = self._made
        if client is None or pid != os.getpid():
            client = boto3.session.Session().client(
                "s3",
                region_name=self._region,
                endpoint_url=self._endpoint,
                config=Config(
                    connect_timeout=5,
                    read_timeout=60,
                    retries={"mode": "standard", "total_max_attempts": 3},
                    s3={"addressing_style": "path"} if self._endpoint else {},
                ),
            )
            self._made = (os.getpid(), client)
        return client


_buckets: dict[tuple[str, str, str | None], Bucket] = {}


def bucket() -> Bucket:
    """Return this process's bucket, as the settings have it."""
    place = (settings.FILES_BUCKET, settings.AWS_DEFAULT_REGION, settings.AWS_ENDPOINT_URL)
    if not place[0]:
        raise FilesUnavailable("FILES_BUCKET is not set: copies of data have no place to lie (see docs).")
    if place not in _buckets:
        _buckets[place] = Bucket(place[0], region=place[1], endpoint=place[2])
    return _buckets[place]


@contextmanager
def _translating(verb: str, key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in {"NoSuchKey", "404"}:
            raise FileGone(f"The file {key} is not there.") from None
        raise FilesUnavailable(
            f"S3 refused to {verb} {key}: {code}. Check FILES_BUCKET and the IAM policy of this process."
        ) from error
    except BotoCoreError as error:
        raise FilesUnavailable(
            f"S3 could not be asked to {verb} {key}: {type(error).__name__}. Check the network, "
            "AWS_ENDPOINT_URL, AWS_DEFAULT_REGION and the AWS credentials."
        ) from error
