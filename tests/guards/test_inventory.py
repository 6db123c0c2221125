"""Every field of every model is in the inventory of personal data, and the inventory holds nothing else."""

from typing import Any

from django.apps import apps

from privacy import inventory
from privacy.inventory import Erasure, Recipient, Retention
from privacy.periods import PERIODS
from tests.guards.source import APPS


def test_each_app_that_has_models_declares_its_own() -> None:
    """The apps below `privacy` cannot know it: it declares for them."""
    below = {"tenants", "audit", "vault"}
    for config in apps.get_app_configs():
        if config.name in APPS and config.name not in below and list(config.get_models()):
            __import__(f"{config.name}.personal_data")


def test_data_goes_to_nobody_but_the_parties_of_the_policy_and_goes_in_time() -> None:
    for holding in inventory.holdings():
        for name, data in holding.personal.items():
            where = f"{holding.label}.{name}"
            assert all(isinstance(each, Recipient) for each in data.recipients), where
            assert data.purposes, where
            assert data.retention in PERIODS, where
    assert set(PERIODS) == set(Retention)


def test_what_is_blanked_can_be_blank() -> None:
    """No erasure fails on a column that may not be empty: such a field says what stands there instead."""
    for holding in inventory.holdings():
        for name, data in holding.personal.items():
            if data.erasure is Erasure.BLANK and name not in holding.instead:
                field: Any = holding.model._meta.get_field(name)
                assert field.null or field.blank, f"{holding.label}.{name}: say what is put there instead"


def test_rows_that_go_are_all_of_them_personal_in_the_same_way() -> None:
    """A row goes whole or stays: a model cannot have one field of the row going and another one kept."""
    for holding in inventory.holdings():
        kinds = {data.erasure for data in holding.personal.values()}
        assert kinds == {Erasure.ROW} or Erasure.ROW not in kinds, holding.label
