from typing import Any

from django.core.checks import registry

from tests.vault.aws import dead_endpoint
from vault.checks import check_keys_within_reach, check_settings


def test_the_checks_are_registered_and_the_network_is_asked_only_for_deployment() -> None:
    assert check_settings in registry.registry.get_checks()
    assert check_keys_within_reach not in registry.registry.get_checks()
    assert check_keys_within_reach in registry.registry.get_checks(include_deployment_checks=True)


def test_an_empty_prefix_is_an_error(settings: Any) -> None:
    assert check_settings(None) == []
    settings.SECRETS_PREFIX = "/"
    assert [e.id for e in check_settings(None)] == ["vault.E001"]


def test_keys_out_of_reach_are_an_error_that_says_what_to_do(settings: Any) -> None:
    assert check_keys_within_reach(None) == []
    settings.AWS_ENDPOINT_URL = dead_endpoint()
    (error,) = check_keys_within_reach(None)
    assert error.id == "vault.E002" and "AWS_ENDPOINT_URL" in error.msg
