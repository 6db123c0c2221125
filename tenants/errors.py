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
