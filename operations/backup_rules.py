"""What no backup of a year may hold: rows that go within 30 days, and keys that erasures destroy.

Patterns as `pg_dump --exclude-table-data` takes them; partitions carry their table's name as a prefix.
"""

from typing import Final

# Of every schema. A key destroyed here must be gone everywhere, or what it sealed is not erased; a backup of
# this table alone may be kept for so many days.
SUBJECT_KEYS: Final = "*.vault_subjectkey"
SUBJECT_KEY_BACKUP_DAYS: Final = 30

# Rows with addresses, browsers and networks, or marks of them. After a restore everybody logs in anew.
SHORT_LIVED: Final = (
    "*.accounts_session",
    "*.django_session",
    "*.accounts_knowndevice",
    "public.tenants_throttle",
)

EXCLUDED_FROM_BACKUPS: Final = (
    "public.operations_requestlog*", "public.operations_alert", SUBJECT_KEYS, *SHORT_LIVED,
)  # fmt: skip
