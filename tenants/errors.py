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
