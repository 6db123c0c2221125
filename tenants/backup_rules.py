"""What a backup that is kept for 365 days leaves out, and why. Pure data: backups and tests read it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A table whose rows are in no long backup; `own_days` is how long a backup of it alone may be kept."""

    table: str
    own_days: int
    reason: str


LEFT_OUT_OF_LONG_BACKUPS = (
    LeftOut(
        "vault_subjectkey",
        own_days=30,
        reason="A key destroyed here must be gone from every backup: only then is what it sealed erased.",
    ),
    LeftOut(
        "operations_requestlog",
        own_days=0,
        reason="Request logs are kept for 30 days at the most, and a backup would keep them for 365.",
    ),
)


def is_left_out(table: str) -> bool:
    """Tell whether the rows of `table`, in any schema, or of a partition of it, are in no long backup."""
    return any(table == each.table or table.startswith(f"{each.table}_") for each in LEFT_OUT_OF_LONG_BACKUPS)
