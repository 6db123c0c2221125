"""Gateway to AWS Secrets Manager."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from django.views.decorators.debug import sensitive_variables

from vault.aws_gateway import Service
from vault.errors import VaultError, VaultUnavailable


class SecretMissing(VaultError):
    """There is no secret of that name."""


class SecretExists(VaultError):
    """Somebody else has just created the secret."""


class SecretChanged(VaultError):
    """Somebody else has just replaced the secret."""


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """The current version of a secret."""

    version_id: str
    text: str = field(repr=False)


class SecretStore(Protocol):
    """Where secrets are kept."""

    def read(self, name: str) -> StoredSecret: ...

    def create(self, name: str, text: str) -> None: ...

    def replace(self, name: str, text: str, *, was: StoredSecret) -> None: ...


class SecretsManager:
    """AWS Secrets Manager, or what answers like it at `endpoint`."""

    def __init__(self, *, region: str, endpoint: str | None) -> None:
        self._aws = Service("secretsmanager", region=region, endpoint=endpoint, read_timeout=5)

    @sensitive_variables("answer", "text")
    def read(self, name: str) -> StoredSecret:
        """Return the current version."""
        with self._translating("read", name):
            answer = self._aws.client().get_secret_value(SecretId=name, VersionStage="AWSCURRENT")
            text = answer.get("SecretString")
        if text is None:
            raise VaultError(f"The secret {name} holds binary data, not text: it is not one of ours.")
        return StoredSecret(version_id=answer["VersionId"], text=text)

    @sensitive_variables("text")
    def create(self, name: str, text: str) -> None:
        """Create the secret; `SecretExists` when another process was first."""
        with self._translating("create", name):
            self._aws.client().create_secret(
                Name=name,
                SecretString=text,
                ClientRequestToken=str(uuid4()),  # the SDK's own retries create nothing twice
                Description="Keys of ProEcommerce. Losing a version loses what it has sealed or proven.",
            )

    @sensitive_variables("text")
    def replace(self, name: str, text: str, *, was: StoredSecret) -> None:
        """Make `text` the current version, unless somebody replaced `was` in the meantime."""
        token = str(uuid4())
        with self._translating("replace", name):
            client = self._aws.client()
            client.put_secret_value(
                SecretId=name, SecretString=text, ClientRequestToken=token, VersionStages=["AWSPENDING"]
            )
            client.update_secret_version_stage(
                SecretId=name,
                VersionStage="AWSCURRENT",
                MoveToVersionId=token,
                RemoveFromVersionId=was.version_id,
            )

    @contextmanager
    def _translating(self, verb: str, name: str) -> Iterator[None]:
        """Turn the SDK's errors into ours, leaving behind frames and texts that may hold the secret."""
        try:
            yield
        except ClientError as error:
            raise self._explain(verb, name, error.response.get("Error", {})) from None
        except BotoCoreError as error:
            raise VaultUnavailable(
                f"AWS Secrets Manager ({self._aws.where}) could not be asked to {verb} the secret {name}: "
                f"{type(error).__name__}. Check the network, AWS_ENDPOINT_URL, AWS_DEFAULT_REGION and the "
                "AWS credentials, then start again."
            ) from None

    def _explain(self, verb: str, name: str, error: Any) -> VaultError:
        code, text = error.get("Code", ""), error.get("Message", "")
        if code == "ResourceNotFoundException":
            return SecretMissing(f"The secret {name} does not exist.")
        if code == "ResourceExistsException":
            return SecretExists(f"The secret {name} exists already.")
        if code == "InvalidParameterException" and verb == "replace":
            return SecretChanged(
                f"The secret {name} was changed by somebody else at the same time. Run it again."
            )
        advice = "Put that right"
        if "AccessDenied" in code:
            advice = "Allow it in the IAM policy of this process"
        if code == "InvalidRequestException":
            restore = f"aws secretsmanager restore-secret --secret-id {name}"
            advice = f"If the secret is scheduled for deletion, restore it (`{restore}`)"
        return VaultUnavailable(
            f"AWS Secrets Manager refused to {verb} the secret {name}: {code}: {text}. {advice}, "
            "then start again."
        )
