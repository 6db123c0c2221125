"""docker-compose.yml: the production shape, configured by the very variables that the demo sets."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.stack.environment import contract
from sandbox.stack.place import ROOT, Place
from sandbox.stack.ports import fixed
from tests.guards.test_settings import documented

# Only stand-ins have addresses of their own; production talks to the real ones, by the defaults.
FOR_STAND_INS = {
    "AWS_ENDPOINT_URL",
    "STRIPE_API_BASE",
    "STRIPE_CONNECT_BASE",
    "STRIPE_JS_URL",
    "STRIPE_REHEARSAL_BASE",
}
AWS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
KNOCKING = {"SECURITY_LOG"}  # of those who write down who knocks


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture
def names(tmp_path: Path) -> set[str]:
    """What production is configured by: all that is documented, and what is not the product's to read."""
    demo = set(contract(Place(tmp_path, temporary=True), fixed(8000, 18000)))
    assert demo - set(documented()) == AWS
    return set(documented()) - FOR_STAND_INS - KNOCKING


def test_every_part_of_production_is_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {
        "postgres", "broker", "cache", "migrate", "web", "worker", "beat", "caddy"
    }  # fmt: skip
    assert compose["services"]["postgres"]["image"] == "postgres:18"


def test_migrate_gets_every_documented_variable(compose: dict[str, Any], names: set[str]) -> None:
    assert set(compose["services"]["migrate"]["environment"]) == names


@pytest.mark.parametrize(
    ("service", "more"), [("web", AWS | KNOCKING), ("worker", AWS | KNOCKING), ("beat", set())]
)
def test_the_product_gets_every_documented_variable_but_the_owner(
    compose: dict[str, Any], names: set[str], service: str, more: set[str]
) -> None:
    environment = compose["services"][service]["environment"]
    assert set(environment) == (names - {"DATABASE_OWNER_URL"}) | more
    assert environment["TRUSTED_PROXIES"] == "1"
    assert (environment["DEBUG"], environment["DEMO"]) == ("0", "0")
    assert not any("PROE_OWNER_PASSWORD" in str(value) for value in environment.values())


def test_site_and_worker_have_each_a_user_of_its_own_at_aws_and_nobody_else_has_one(
    compose: dict[str, Any],
) -> None:
    users = {
        name: {service["environment"][each] for each in AWS}
        for name, service in compose["services"].items()
        if AWS & set(service.get("environment", {}))
    }
    assert users == {
        "web": {"${WEB_AWS_ACCESS_KEY_ID:?}", "${WEB_AWS_SECRET_ACCESS_KEY:?}"},
        "worker": {"${WORKER_AWS_ACCESS_KEY_ID:?}", "${WORKER_AWS_SECRET_ACCESS_KEY:?}"},
    }


def test_what_stands_before_a_container_may_be_set_from_outside(compose: dict[str, Any]) -> None:
    """A value that production may want otherwise is the env file's, under the variable's own name."""
    fixed_here = {
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "BROKER_URL",
        "CACHE_URL",
        "DEBUG",
        "DEMO",
        "TRUSTED_PROXIES",
    }
    for name, value in compose["services"]["migrate"]["environment"].items():
        assert name in fixed_here or str(value).startswith(f"${{{name}:"), name


def test_no_container_writes_without_end(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["logging"]["driver"] == "json-file", name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name


def test_the_settings_read_no_variable_that_nothing_sets_or_defaults(names: set[str]) -> None:
    source = (ROOT / "proecommerce" / "settings.py").read_text()
    required = set(
        re.findall(r'env\.(?:text|url|whole|database)\("([A-Z_]+)"(?:, schemes=\([^)]*\))?\)', source)
    )
    assert required <= names


def test_no_secret_stands_in_the_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if name != "PASSWORD_FILTER" and re.search("PASSWORD|SECRET_KEY|SECRET_ACCESS|AUTH$", name):
                assert re.fullmatch(r"\$\{[A-Z_]+:[?-]\}", value)


@pytest.mark.parametrize(("service", "variable"), [("broker", "BROKER_URL"), ("cache", "CACHE_URL")])
def test_broker_and_cache_ask_for_a_password_of_their_own(
    compose: dict[str, Any], service: str, variable: str
) -> None:
    secret, made = f"${{{service.upper()}_PASSWORD:?}}", compose["services"][service]
    command = made["command"]
    assert command[command.index("--requirepass") + 1] == secret == made["environment"]["REDISCLI_AUTH"]
    for each in ("web", "worker", "beat", "migrate"):
        assert compose["services"][each]["environment"][variable] == f"redis://:{secret}@{service}:6379/0"


def test_only_the_front_door_is_published(compose: dict[str, Any]) -> None:
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["caddy"]


def test_what_the_containers_mount_and_build_from_is_there(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            if not isinstance(volume, str):
                # Made by hand, for the user of the image: one that Docker makes belongs to root.
                assert volume["bind"] == {"create_host_path": False}
                continue
            source = volume.split(":")[0]
            assert not source.startswith("./") or (ROOT / source).is_file()
    assert (ROOT / compose["services"]["web"]["build"]["dockerfile"]).is_file()


def test_broker_never_evicts_and_cache_may(compose: dict[str, Any]) -> None:
    assert "noeviction" in compose["services"]["broker"]["command"]
    assert "--appendonly" in compose["services"]["broker"]["command"]
    assert "allkeys-lru" in compose["services"]["cache"]["command"]
