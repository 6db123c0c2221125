"""Gateway to the store outside: a bucket of S3 with Object Lock, where nobody can change what was put."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from vault.aws_gateway import Service


class StoreUnavailable(RuntimeError):
    """The store did not take or give what it was asked for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of one object: `locked_until` None means that it could be removed."""

    key: str
    body: bytes
    locked_until: datetime | None


class OutsideStore(Protocol):
    """Where copies are put that must outlast whoever rules this machine."""

    def put(self, key: str, body: bytes, *, keep_until: datetime) -> None: ...

    def keys(self, prefix: str) -> set[str]: ...

    def all_versions(self, prefix: str) -> Iterator[Kept]: ...


class S3Store:
    """A bucket of S3, or of what answers like it at `endpoint`."""

    def __init__(self, *, bucket: str, region: str, endpoint: str | None) -> None:
        self._bucket = bucket
        self._aws = Service("s3", region=region, endpoint=endpoint, read_timeout=10)

    def put(self, key: str, body: bytes, *, keep_until: datetime) -> None:
        """Put the object, locked: no login of the account can remove it before `keep_until`."""
        try:
            self._aws.client().put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=keep_until,
            )
        except (BotoCoreError, ClientError) as error:
            raise self._explained("put", error) from error

    def keys(self, prefix: str) -> set[str]:
        """The names of all objects under `prefix`, the hidden ones too."""
        try:
            pages = self._aws.client().get_paginator("list_object_versions")
            found = pages.paginate(Bucket=self._bucket, Prefix=prefix)
            return {version["Key"] for page in found for version in page.get("Versions", ())}
        except (BotoCoreError, ClientError) as error:
            raise self._explained("list", error) from error

    def all_versions(self, prefix: str) -> Iterator[Kept]:
        """Every version of every object under `prefix`, the hidden ones too."""
        client = self._aws.client()
        try:
            pages = client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                for version in page.get("Versions", ()):
                    found = client.get_object(
                        Bucket=self._bucket, Key=version["Key"], VersionId=version["VersionId"]
                    )
                    locked = found.get("ObjectLockRetainUntilDate")
                    if found.get("ObjectLockMode") != "COMPLIANCE":
                        locked = None
                    yield Kept(version["Key"], found["Body"].read(), locked)
        except (BotoCoreError, ClientError) as error:
            raise self._explained("read", error) from error

    def _explained(self, verb: str, error: BotoCoreError | ClientError) -> StoreUnavailable:
        said = type(error).__name__
        if isinstance(error, ClientError):
            answer = error.response.get("Error", {})
            said = f"{answer.get('Code', '')}: {answer.get('Message', '')}"
        return StoreUnavailable(
            f"The bucket {self._bucket} (AUDIT_BUCKET) could not {verb} a checkpoint: {said}. It needs "
            "Object Lock, and this process the rights of deploy/iam."
        )
