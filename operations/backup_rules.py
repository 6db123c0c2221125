"""What no backup may hold: tables whose rows are gone within 30 days, while backups are kept for a year.

Patterns as `pg_dump --exclude-table-data` takes them; partitions carry their table's name as a prefix.
"""

from typing import Final

EXCLUDED_FROM_BACKUPS: Final = ("public.operations_requestlog*", "public.operations_alert")
