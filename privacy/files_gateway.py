"""Gateway to the private S3 bucket of files to take along.

What is put there is sealed already; the bucket encrypts it once more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from vault.aws_gateway import Service

_TRANSFER = TransferConfig(multipart_threshold=16 << 20, multipart_chunksize=8 << 20, use_threads=False)


class FilesUnavailable(RuntimeError):
    """The bucket did not answer, or refused: to be tried again."""


class FileGone(FilesUnavailable):
    """There is no such file (any more)."""


class Bucket:
    """The bucket that `FILES_BUCKET` names."""

    def __init__(self, name: str, *, region: str, endpoint: str | None) -> None:
        self._name = name
        self._aws = Service("s3", region=region, endpoint=endpoint, read_timeout=60)

    def put(self, key: str, file: BinaryIO) -> None:
        """Upload the file from where it stands, in parts; an older one of the same key is replaced."""
        extra = {"ServerSideEncryption": "AES256", "ContentType": "application/octet-stream"}
        with _translating("put", key):
            self._aws.client().upload_fileobj(file, self._name, key, ExtraArgs=extra, Config=_TRANSFER)

    def open(self, key: str) -> Any:
        """Return a stream to read the file from; raises `FileGone`."""
        with _translating("read", key):
            return self._aws.client().get_object(Bucket=self._name, Key=key)["Body"]

    def delete(self, key: str) -> None:
        """Delete the file; nothing happens where there is none."""
        with _translating("delete", key):
            self._aws.client().delete_object(Bucket=self._name, Key=key)


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
