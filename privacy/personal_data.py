"""What the apps below this one hold, and what this one does."""

from privacy.inventory import (
    About,
    Basis,
    Category,
    Data,
    Erasure,
    Export,
    Purpose,
    Recipient,
    Retention,
    holds,
    spread,
)

USAGE = Data(
    category=Category.USAGE,
    purposes=(Purpose.SECURITY,),
    basis=Basis.LEGITIMATE_INTEREST,
    retention=Retention.SESSION,
    erasure=Erasure.ROW,
)
RECORD = Data(
    category=Category.RECORD,
    purposes=(Purpose.SECURITY, Purpose.LAW),
    basis=Basis.LEGITIMATE_INTEREST,
    retention=Retention.RECORD,
    erasure=Erasure.SHREDDED,
)
BUSINESS = Data(
    category=Category.ACCOUNT,
    purposes=(Purpose.SERVICE,),
    basis=Basis.CONTRACT,
    retention=Retention.ACCOUNT,
    erasure=Erasure.ROW,  # with the whole workspace
)

# Django's own.
holds("contenttypes.ContentType", "Kinds of rows", none=["id", "app_label", "model"])
holds("auth.Permission", "Django's permissions, unused", none=["id", "name", "content_type", "codename"])
holds("auth.Group", "Django's groups, unused", none=["id", "name"])
holds("auth.Group_permissions", "Django's groups, unused", none=["id", "group", "permission"])
holds(
    "sessions.Session",
    "Contents of sessions",
    personal=spread(USAGE.but(export=Export.WITHHELD), "session_key", "session_data"),
    none=["expire_date"],
    unfindable="It is found through the session's own row (accounts.Session) and goes with it.",
)
holds(
    "admin.LogEntry",
    "What the platform's staff changed",
    about=[About("user", "user")],
    personal=spread(
        RECORD.but(erasure=Erasure.KEPT, law="Art. 5(2) GDPR: accountability of those with access"),
        "object_repr",
        "change_message",
    ),
    none=["id", "action_time", "user", "content_type", "object_id", "action_flag"],
)

# vault, audit
holds(
    "vault.DataKey",
    "Keys of values at rest",
    none=["id", "version", "kek_version", "wrapped", "created_at", "retired_at"],
)
holds("audit.ChainHead", "Where the audit log ends", none=["id", "seq", "hash"])
holds(
    "audit.AuditEvent",
    "Audit log",
    about=[About("user", "actor_id")],
    personal=spread(RECORD, "actor_label", "details", "ip", "user_agent", "behind_label"),
    none=[
        "id", "seq", "at", "action", "actor_kind", "actor_id", "subject_kind", "subject_id", "behind_id",
        "prev_hash", "hash",
    ],
)  # fmt: skip

# tenants
holds(
    "tenants.Tenant",
    "Workspace",
    about=[About("tenant")],
    personal=spread(BUSINESS, "name", "country", "time_zone"),
    none=[
        "id", "slug", "schema_name", "status", "currency", "locale", "next_run_at", "is_rehearsal",
        "rehearsal_now", "created_at",
    ],
)  # fmt: skip
holds(
    "tenants.Host",
    "Addresses of the workspace",
    about=[About("tenant", "tenant")],
    personal={"hostname": BUSINESS.but(recipients=(Recipient.CERTIFICATES, Recipient.AWS))},
    none=["id", "tenant", "schema_name", "is_primary", "created_at"],
)
holds(
    "tenants.HostProof",
    "Addresses that the workspace wants",
    about=[About("tenant", "tenant")],
    personal={"hostname": BUSINESS},
    none=[
        "id", "tenant", "schema_name", "token", "state", "method", "looks", "problem", "created_at",
        "asked_at", "looked_at", "proven_at",
    ],
)  # fmt: skip
holds(
    "tenants.Job",
    "Work to be done",
    personal=spread(USAGE.but(retention=Retention.JOB, purposes=(Purpose.SERVICE,)), "args", "last_error"),
    none=[
        "id", "schema_name", "name", "key", "state", "attempts", "run_at", "leased_until", "published_at",
        "created_at", "done_at",
    ],
    unfindable="Its arguments name rows by their ids; an error may name an address, for 14 days.",
)  # fmt: skip
holds(
    "tenants.Throttle",
    "Attempts, counted",
    personal={"key": USAGE.but(retention=Retention.THROTTLE, export=Export.WITHHELD)},
    none=["hits", "expires_at"],
    unfindable="The key is a keyed hash of an address or network, and gone within a day.",
)
holds("tenants.Blueprint", "What new schemas are made from", none=["id", "steps", "sql"])
holds(
    "tenants.MigrationStep",
    "What schemas are changed by",
    none=["position", "app", "name", "sql", "has_python"],
)

# This app's own.
CHOICE = Data(
    category=Category.OPTIONAL,
    purposes=(Purpose.MARKETING, Purpose.LAW),
    basis=Basis.LEGAL_OBLIGATION,
    retention=Retention.CONSENT,
    erasure=Erasure.KEPT,
    law="Art. 7(1) GDPR: that there was consent must be shown; without the address, once erased",
)
holds(
    "privacy.ConsentText",
    "Texts of consent",
    none=["hash", "purpose", "text", "since"],
)
holds(
    "privacy.Consent",
    "Consent, given and withdrawn",
    about=[About(kind, "subject_id") for kind in ("customer", "user", "prospect")],
    personal={
        **spread(CHOICE, "purpose", "given", "how", "at", "address_mark"),
        "sealed": CHOICE.but(erasure=Erasure.SHREDDED, law="", retention=Retention.ACCOUNT),
    },
    none=["id", "subject_kind", "subject_id", "text"],
)
HELD = Data(
    category=Category.RECORD,
    purposes=(Purpose.LAW,),
    basis=Basis.LEGAL_OBLIGATION,
    retention=Retention.REQUEST,
    erasure=Erasure.KEPT,
    law="Art. 18 and 17(3)(e) GDPR: that processing was restricted, or erasure put off, must be shown",
)
holds(
    "privacy.Restriction",
    "Restriction of processing",
    about=[About(kind, "subject_id") for kind in ("customer", "user")],
    personal=spread(HELD, "reason", "asked_at", "lifted_at", "lifted_because"),
    none=["id", "subject_kind", "subject_id"],
)
holds(
    "privacy.Hold",
    "Legal hold",
    about=[About(kind, "subject_id") for kind in ("customer", "user")],
    personal=spread(HELD, "reason", "placed_by", "placed_at", "review_on", "lifted_at", "lifted_because"),
    none=["id", "subject_kind", "subject_id"],
)
INCIDENT = HELD.but(
    retention=Retention.INCIDENT,
    law="Art. 33(5) GDPR: every breach is documented, with its effects and what was done",
)
holds(
    "privacy.Incident",
    "Incident",
    personal={"declared_by": INCIDENT},
    none=[
        "id", "title", "nature", "found_at", "declared_at", "is_drill", "consequences", "measures",
        "scoped_at", "rotation_asked_at", "mail_subject", "mail_text", "notices_asked_at", "public_title",
        "public_text", "published_at", "authority", "authority_reference", "authority_told_at",
        "authority_not_told_because", "closed_at",
    ],
    unfindable="It names who of the platform's staff declared it, in the register of incidents.",
)  # fmt: skip
holds(
    "privacy.IncidentScope",
    "How far an incident reached",
    none=["id", "incident", "schema_name", "subject_kind", "categories", "people", "rows"],
)
holds(
    "privacy.IncidentRotation",
    "Credentials replaced after an incident",
    none=["id", "incident", "schema_name", "name", "done_at", "outcome"],
)
holds(
    "privacy.IncidentNotice",
    "Told of an incident",
    about=[About(kind, "subject_id") for kind in ("customer", "user")],
    personal=spread(INCIDENT, "state", "sent_at"),
    none=["id", "incident", "schema_name", "subject_kind", "subject_id", "tries"],
)
holds(
    "privacy.Closing",
    "Closing of an account",
    about=[About(kind, "subject_id") for kind in ("customer", "tenant")],
    personal=spread(
        HELD.but(
            retention=Retention.BILLING,
            law="Art. 5(2) GDPR: from when the seven years count must be shown",
        ),
        "closed_at", "final_at", "undone_at", "done_at",
    ),
    none=["id", "subject_kind", "subject_id", "reminded_at", "ended"],
)  # fmt: skip
holds(
    "privacy.Erasure",
    "Erasure",
    about=[About(kind, "subject_id") for kind in ("customer", "user", "prospect")],
    personal=spread(
        HELD.but(law="Art. 5(2) GDPR: that it was erased must be shown"),
        "because", "asked_at", "plan", "report", "done_at",
    ),
    none=["id", "subject_kind", "subject_id", "steps"],
)  # fmt: skip
