"""Names for the JSON-shaped values that the stand-in passes around."""

from typing import Any

# Stripe's objects are open JSON trees; naming each field as a type would only repeat Stripe's own library.
Obj = dict[str, Any]

API_VERSION = "2026-10-28.endive"
# From this version on, payment_method_types cannot be written any more.
TYPES_REMOVED = "2026-09-30"
