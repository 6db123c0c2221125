"""Who may import whom: between the apps (the contracts in pyproject.toml) and inside them."""

from pathlib import Path

import pytest
from importlinter.cli import lint_imports

from tests.guards.source import APPS, ROOT, found_in, imports, modules

# Values in, values out: no database, no clock, no vendor.
PURE = [
    "audit/chain.py", "audit/actors.py", "audit/actions.py", "audit/persons.py", "audit/retention.py",
    "audit/checkpoints.py",
    "billing/money.py", "billing/periods.py", "billing/pricing.py", "billing/tax.py", "billing/numbering.py",
    "billing/formats.py", "billing/text.py", "billing/colours.py",
    "tenants/addresses.py", "tenants/hostnames.py", "tenants/message.py",
    "tenants/errors.py", "tenants/ids.py",
]  # fmt: skip
WORLD = {
    "django",
    "psycopg",
    "celery",
    "redis",
    "stripe",
    "boto3",
    "httpx",
    "time",
    "os",
    "socket",
    "subprocess",
}

# The edges: nobody below imports them; they are reached by URL, by name, by command.
# Rules ask for jobs by name, through this.
QUEUE = "tenants.jobs"
EDGES = ("portal", "manage", "pay", "admin", "jobs", "webhooks", "management", "apps", "urls", "hosted")
# The only importers of a vendor's own package; of AWS, what reaches it and a gateway to each service.
AWS = ("aws_gateway", "secrets_gateway", "store_gateway", "files_gateway", "erasure_log_gateway")
VENDORS = {"stripe": ("stripe_gateway",), "boto3": AWS, "botocore": AWS}


def test_the_contracts_hold() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize("path", PURE)
def test_pure_modules_know_no_world(path: str) -> None:
    tops = {name.partition(".")[0] for name in imports(Path(path))}
    assert tops & WORLD == set()
    for name in imports(Path(path)):
        if name.partition(".")[0] in APPS and "." in name:
            owner = "/".join(name.split(".")[:2]) + ".py"
            assert owner in PURE, f"{path} imports {name}, which is not pure"


def is_edge(name: str) -> bool:
    parts = name.split(".")
    return len(parts) > 1 and parts[0] in APPS and parts[1] in EDGES and not name.startswith(QUEUE)


def test_rules_queries_and_models_know_no_page_and_no_job() -> None:
    inner = (
        path
        for path in modules(*APPS)
        if path.parts[0] != "proecommerce" and not is_edge(path.with_suffix("").as_posix().replace("/", "."))
    )
    assert found_in(inner, lambda path: [name for name in imports(path) if is_edge(name)]) == {}


def test_a_vendors_package_has_one_importer() -> None:
    def vendors(path: Path) -> list[str]:
        return [name for name in imports(path) if not _may_import(path, name.partition(".")[0])]

    assert found_in(modules(*APPS), vendors) == {}


def _may_import(path: Path, package: str) -> bool:
    gateways = VENDORS.get(package)
    return gateways is None or any(each in path.as_posix() for each in gateways)
