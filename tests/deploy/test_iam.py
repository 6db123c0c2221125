"""The IAM policies of `deploy/iam`, enforced by moto: what each process needs works, all else is denied."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import settings as moto_settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.secretsmanager.responses import SecretsManagerResponse
from moto.server import ThreadedMotoServer

from audit.store_gateway import S3Store, StoreUnavailable
from tests.conftest import ROOT
from tests.vault.aws import REGION, free_port
from vault.errors import VaultUnavailable
from vault.keyring import Keyring
from vault.secrets_gateway import SecretsManager

POLICIES = Path(ROOT) / "deploy" / "iam"
ACCOUNT = "123456789012"
PREFIX = "proe-test"
BUCKET = "proe-test-backups"
AUDIT = "proe-test-checkpoints"
LOCKED = datetime(2033, 11, 23, tzinfo=UTC)
FILES = "proe-test-files"
ERASURES = "proe-test-erasures"
Client = Callable[[str], Any]


def policy(name: str) -> str:
    """Return the policy with its words in capitals replaced, as the README says."""
    text = (POLICIES / f"{name}.json").read_text()
    words = {"ACCOUNT_ID": ACCOUNT, "REGION": REGION, "SECRETS_PREFIX": PREFIX, "BACKUP_BUCKET": BUCKET,
             "AUDIT_BUCKET": AUDIT, "FILES_BUCKET": FILES, "ERASURE_BUCKET": ERASURES}  # fmt: skip
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _secret_arn(self: Any) -> str:
    """The resource that AWS checks; moto by itself checks secrets against `*`."""
    name = self._get_param("SecretId") or self._get_param("Name") or "*"
    ending = "" if self._get_action() == "CreateSecret" else "-AbCdEf"
    return (
        name
        if name.startswith("arn:")
        else f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}{ending}"
    )


class Cloud:
    """A moto of its own, with users whose policies are enforced."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        root = self.clients("root", "root")
        for name in (f"{PREFIX}/kek", f"{PREFIX}/backup", f"{PREFIX}/audit-signing", "other/kek"):
            root("secretsmanager").create_secret(Name=name, SecretString="{}")
        for bucket in (BUCKET, AUDIT, "other-bucket"):
            root("s3").create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        root("s3").create_bucket(Bucket=FILES)
        root("s3").create_bucket(Bucket=ERASURES)
        root("s3").put_object(Bucket=ERASURES, Key="erasures/t_x/user/1", Body=b"{}")
        root("s3").put_object(Bucket=FILES, Key="exports/t_x/1.zip", Body=b"x")
        self.version = root("s3").put_object(Bucket=BUCKET, Key="db/1", Body=b"x")["VersionId"]
        S3Store.put(outside(root), "checkpoints/1.json", b"{}", keep_until=LOCKED)
        self.root = root

    def clients(self, key: str, secret: str) -> Client:
        def client(service: str) -> Any:
            return boto3.client(
                service, endpoint_url=self.endpoint, region_name=REGION,
                aws_access_key_id=key, aws_secret_access_key=secret,
                config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
            )  # fmt: skip

        return client

    def user(self, name: str) -> tuple[str, str]:
        """Make a user that has the policy of this name and no other; return its access key."""
        iam = self.root("iam")
        user = f"{name}-{uuid4().hex[:6]}"
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName=name, PolicyDocument=policy(name))
        made = iam.create_access_key(UserName=user)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    patch = pytest.MonkeyPatch()
    patch.setattr(SecretsManagerResponse, "_determine_resource", _secret_arn, raising=False)
    yield Cloud(f"http://127.0.0.1:{port}")
    patch.undo()
    server.stop()


@pytest.fixture
def enforced(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Client]:
    """Return clients of a user with the policy of this name; from then on every request is checked."""

    def having(name: str) -> Client:
        keys = cloud.user(name)
        monkeypatch.setattr(moto_settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
        monkeypatch.setattr(ActionAuthenticatorMixin, "request_count", 0)
        return cloud.clients(*keys)

    return having


def kek(c: Client) -> Any:
    return c("secretsmanager").get_secret_value(SecretId=f"{PREFIX}/kek")


def backup_key(c: Client) -> Any:
    return c("secretsmanager").get_secret_value(SecretId=f"{PREFIX}/backup")


def outside(c: Client) -> S3Store:
    """The product's own gateway, with somebody's rights."""
    store = S3Store(bucket=AUDIT, region=REGION, endpoint="http://unused")
    store._aws.client = lambda: c("s3")  # type: ignore[method-assign]
    return store


def signing_key(c: Client) -> Any:
    return c("secretsmanager").get_secret_value(SecretId=f"{PREFIX}/audit-signing")


def put_checkpoint(c: Client) -> Any:
    return outside(c).put("checkpoints/2.json", b"{}", keep_until=LOCKED)


def read_checkpoints(c: Client) -> Any:
    return list(outside(c).all_versions("checkpoints/"))


def put(c: Client) -> Any:
    return c("s3").put_object(Bucket=BUCKET, Key="db/2", Body=b"x")


def multipart(c: Client) -> Any:
    s3 = c("s3")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="db/big")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="db/big", UploadId=upload, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(
        Bucket=BUCKET, Key="db/big", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )  # fmt: skip
    dropped = s3.create_multipart_upload(Bucket=BUCKET, Key="db/no")["UploadId"]
    return s3.abort_multipart_upload(Bucket=BUCKET, Key="db/no", UploadId=dropped)


def get(c: Client) -> Any:
    return c("s3").get_object(Bucket=BUCKET, Key="db/1")["Body"].read()


def put_copy(c: Client) -> Any:
    return c("s3").put_object(Bucket=FILES, Key="exports/t_x/2.zip", Body=b"x", ServerSideEncryption="AES256")


def drop_copy(c: Client) -> Any:
    return c("s3").delete_object(Bucket=FILES, Key="exports/t_x/2.zip")


def get_copy(c: Client) -> Any:
    return c("s3").get_object(Bucket=FILES, Key="exports/t_x/1.zip")["Body"].read()


def log_erasure(c: Client) -> Any:
    return c("s3").put_object(Bucket=ERASURES, Key="erasures/t_x/user/2", Body=b"{}")


def read_erasures(c: Client) -> Any:
    c("s3").list_objects_v2(Bucket=ERASURES)
    return c("s3").get_object(Bucket=ERASURES, Key="erasures/t_x/user/1")["Body"].read()


def listed(c: Client) -> Any:
    return c("s3").list_objects_v2(Bucket=BUCKET)


def versions(c: Client) -> Any:
    return c("s3").list_object_versions(Bucket=BUCKET)


def add_version(c: Client) -> Any:
    return c("secretsmanager").put_secret_value(SecretId=f"{PREFIX}/kek", SecretString="{}")


DENIED_TO_ALL: dict[str, Callable[[Client], Any]] = {
    "another's secret": lambda c: c("secretsmanager").get_secret_value(SecretId="other/kek"),
    "a list of secrets": lambda c: c("secretsmanager").list_secrets(),
    "deleting the keys": lambda c: c("secretsmanager").delete_secret(SecretId=f"{PREFIX}/kek"),
    "deleting a checkpoint": lambda c: c("s3").delete_object(Bucket=AUDIT, Key="checkpoints/1.json"),
    "unlocking checkpoints": lambda c: c("s3").put_object_lock_configuration(
        Bucket=AUDIT, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    ),
    "a checkpoint elsewhere": lambda c: c("s3").put_object(Bucket=AUDIT, Key="other/1", Body=b"x"),
    "deleting a backup": lambda c: c("s3").delete_object(Bucket=BUCKET, Key="db/1"),
    "a list of buckets": lambda c: c("s3").list_buckets(),
    "deleting the bucket": lambda c: c("s3").delete_bucket(Bucket=BUCKET),
    "another's bucket": lambda c: c("s3").put_object(Bucket="other-bucket", Key="x", Body=b"x"),
    "a list of copies": lambda c: c("s3").list_objects_v2(Bucket=FILES),
    "what else the files' bucket holds": lambda c: c("s3").get_object(Bucket=FILES, Key="other"),
    "another's objects": lambda c: c("s3").list_objects_v2(Bucket="other-bucket"),
    "opening the bucket": lambda c: c("s3").put_bucket_policy(Bucket=BUCKET, Policy="{}"),
    "forgetting backups": lambda c: c("s3").delete_bucket_lifecycle(Bucket=BUCKET),
    "a user more": lambda c: c("iam").create_user(UserName="intruder"),
    "a policy more": lambda c: c("iam").put_user_policy(
        UserName="x", PolicyName="x", PolicyDocument=policy("web")
    ),
    "a key more": lambda c: c("iam").create_access_key(UserName="x"),
    "a machine": lambda c: c("ec2").describe_instances(),
    "a key of KMS": lambda c: c("kms").create_key(),
    "a domain": lambda c: c("route53domains").list_domains(),
}
ABILITIES = {
    "kek": kek, "backup key": backup_key, "add version": add_version, "put": put,
    "signing key": signing_key, "checkpoint": put_checkpoint, "checkpoints": read_checkpoints,
    "multipart": multipart, "get": get, "list": listed, "versions": versions,
    "put copy": put_copy, "drop copy": drop_copy, "get copy": get_copy,
    "log erasure": log_erasure, "erasures": read_erasures,
}  # fmt: skip
NEEDED = {
    "web": {"kek", "get copy"},
    "worker": {"kek", "signing key", "checkpoint", "checkpoints", "put copy", "drop copy", "log erasure"},
    "key-keeper": {"kek", "add version", "signing key"},
    "audit-reader": {"signing key", "checkpoints"},
    "backup-writer": {"backup key", "put", "multipart"},
    "restore-reader": {"backup key", "get", "list", "versions", "erasures"},
}


def is_denied(act: Callable[[Client], Any], client: Client) -> bool:
    try:
        act(client)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 403 and ("AccessDenied" in str(error) or "not authorized" in str(error)):
            return True
        raise
    except StoreUnavailable as error:
        if "AccessDenied" in str(error):
            return True
        raise
    return False


def test_every_policy_is_tried() -> None:
    assert {path.stem for path in POLICIES.glob("*.json")} == set(NEEDED)
    for name in NEEDED:
        document = json.loads(policy(name))
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            assert not any("*" in action for action in statement["Action"]), "an action is named in full"
            assert "*" not in statement["Resource"]


@pytest.mark.parametrize("name", NEEDED)
def test_a_process_may_do_what_it_needs_and_nothing_else(
    name: str, enforced: Callable[[str], Client], cloud: Cloud
) -> None:
    client = enforced(name)
    allowed = {ability for ability, act in ABILITIES.items() if not is_denied(act, client)}
    assert allowed == NEEDED[name]
    denied = {what for what, act in DENIED_TO_ALL.items() if is_denied(act, client)}
    assert denied == set(DENIED_TO_ALL)


def test_the_keyring_works_with_these_policies(
    cloud: Cloud, enforced: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first start and each rotation need the keeper; the site reads, and says what it may not."""
    client = enforced("key-keeper")  # from now on nothing is asked without a check
    name = f"{PREFIX}/kek{uuid4().hex[:6]}"

    def ring(keys: Client, secret: str) -> Keyring:
        store = SecretsManager(region=REGION, endpoint=cloud.endpoint)
        monkeypatch.setattr(store._aws, "client", lambda: keys("secretsmanager"))
        return Keyring(store, secret)

    keeper = ring(client, name)
    first = keeper.current().version
    assert keeper.add_version() != first

    monkeypatch.setattr(moto_settings, "INITIAL_NO_AUTH_ACTION_COUNT", float("inf"))
    web = enforced("web")
    with pytest.raises(VaultUnavailable, match=r"(?s)refused to read.*not authorized to perform: secretsm"):
        ring(web, name).current()
    with pytest.raises(VaultUnavailable, match="not authorized"):
        ring(web, f"{PREFIX}/nothing").current()
