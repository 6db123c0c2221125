"""Tests that share a running site, a broker or a stand-in's clock are kept on one worker."""

import pytest


@pytest.mark.xdist_group("groups")
def test_the_tests_of_a_group_stay_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist knows groups by what it appends to tests' ids; a pytest that hides it splits them."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("only where tests are distributed by group")
    assert request.node.nodeid.endswith("@groups")
