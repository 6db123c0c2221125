"""What running the platform holds about people: the requests of the last days, and alerts from them."""

from privacy.inventory import Basis, Category, Data, Erasure, Export, Purpose, Retention, holds, spread

SEEN = Data(
    category=Category.USAGE,
    purposes=(Purpose.SECURITY, Purpose.SUPPORT),
    basis=Basis.LEGITIMATE_INTEREST,
    retention=Retention.REQUEST_LOG,
    erasure=Erasure.KEPT,
    law="Art. 17(1)(c) and 6(1)(f) GDPR, recital 49: the security of the service; gone by itself in time",
)
WATCHED = SEEN.but(purposes=(Purpose.SECURITY,))

holds(
    "operations.RequestLog",
    "Requests of the last days",
    personal={
        **spread(SEEN, "at", "host", "path", "ip", "user_agent", "user_id", "operator_id"),
        "event": WATCHED,
        "account_mark": WATCHED.but(export=Export.WITHHELD),
    },
    none=["id", "schema_name", "method", "status", "duration_ms"],
    unfindable="It is the platform's and closed to tenants' roles; whoever asks is answered by its staff, who"
    " search it by the user's id or by an address. Most rows name nobody.",
)
holds(
    "operations.Alert",
    "Alerts about abuse",
    personal={
        "network": WATCHED,
        "account_mark": WATCHED.but(export=Export.WITHHELD),
        "acknowledged_by": WATCHED,
        "note": WATCHED,
    },
    none=[
        "id", "kind", "schema_name", "count", "window_seconds", "first_seen", "last_seen", "raised_at",
        "mailed_at", "acknowledged_at",
    ],
    unfindable="An alert is about a network, or about an account by a keyed hash; it names nobody.",
)  # fmt: skip
