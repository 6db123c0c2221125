"""Errors of the tenants app."""


class NoTenant(RuntimeError):
    """Raised when code reaches for the database or the cache without having entered a tenant."""

    def __init__(self, what: str = "The database") -> None:
        super().__init__(
            f"{what} was used outside a tenant. Enter one first: `with tenants.context.enter(tenant):`, "
            "or `enter_public()` for the shared tables."
        )


class SlugTaken(ValueError):
    """The slug belongs to another tenant."""


class SlugRefused(ValueError):
    """The slug is reserved or not a valid host label."""


class JobUnknown(LookupError):
    """No handler is registered under this job name."""


class TenantsBusy(RuntimeError):
    """Some tenants' tables were in use, so that they are not migrated; running again goes on with them."""

    def __init__(self, schemas: list[str]) -> None:
        self.schemas = schemas
        super().__init__(
            f"{len(schemas)} tenants were busy and are not migrated: {', '.join(schemas)}. "
            "All others are. Run migrate again to go on with these."
        )


class StepFailed(RuntimeError):
    """A migration step failed in one tenant; what was done before stays, running again goes on there."""

    def __init__(self, schema: str, steps: str, why: object) -> None:
        super().__init__(
            f"{schema}: {steps} failed and was rolled back ({str(why).strip()}). The tenants before it are "
            "migrated; once the cause is gone, run migrate again to go on here."
        )


class ParkNow(RuntimeError):
    """Raised by a job that another attempt cannot mend: it is parked at once, for a person to see."""


class RotationBusy(RuntimeError):
    """Another rotation of keys is at work."""

    def __init__(self) -> None:
        super().__init__("Another rotation of keys is at work. Wait for it, then run this again.")


class ValuesLeft(RuntimeError):
    """Some values could not be sealed anew; their old data keys stay in use."""

    def __init__(self, left: dict[str, int]) -> None:
        self.left = left
        named = ", ".join(f"{schema} ({count})" for schema, count in left.items())
        super().__init__(
            f"Some values are still sealed by the old data key: {named}. Their rows were in use all along, "
            "or they do not open (the log names them). Run `rotate_keys --data` again to go on."
        )


class KeysLeft(RuntimeError):
    """The keys of some schemas could not be wrapped or replaced; all others are done."""

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        named = "; ".join(f"{schema}: {problem}" for schema, problem in problems.items())
        super().__init__(f"All other schemas are done, but not these: {named} Mend them, then run it again.")


class HostRefused(ValueError):
    """The hostname cannot be the tenant's, or not yet; the message says what to do."""


class HostUnknown(LookupError):
    """The tenant has no such host or claim."""
