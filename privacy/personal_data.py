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
holds(
    "vault.SubjectKey",
    "Keys of persons, by which what is sealed of them is erased",
    none=["id", "kind", "subject_id", "kek_version", "wrapped", "created_at", "destroyed_at"],
)
holds("audit.ChainHead", "Where the audit log ends", none=["id", "seq", "hash", "purged"])
holds("audit.ChainCheck", "How the audit log was found", none=["id", "at", "seq", "problem", "told_at"])
holds("audit.PurgedLink", "Places of purged events", none=["seq", "prev_hash", "hash", "record_id"])
holds(
    "audit.Checkpoint",
    "Signed heads of all audit logs",
    none=["number", "at", "document", "signature", "hash", "stored_at"],
)
holds(
    "audit.Anchor",
    "What a checkpoint says of one audit log",
    none=["id", "checkpoint", "at", "schema_name", "seq", "hash"],
)
holds(
    "audit.AuditEvent",
    "Audit log",
    about=[About("user", "actor_id")],
    # People read the sealed columns through `audit.reading`, as the fields beside them.
    personal={
        **spread(RECORD, "actor_label", "details", "ip", "user_agent", "behind_label"),
        **spread(
            RECORD.but(export=Export.WITHHELD), "actor_sealed", "behind_sealed", "details_sealed", "about"
        ),
    },
    none=[
        "id", "seq", "at", "action", "actor_kind", "actor_id", "subject_kind", "subject_id", "behind_id",
        "prev_hash", "hash", "format",
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
        "asked_at", "looked_at", "proven_at", "missing_since", "told_at",
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
    purposes=(Purpose.LAW,),
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
        "sealed": CHOICE.but(
            purposes=(Purpose.MARKETING,),
            basis=Basis.CONSENT,
            erasure=Erasure.SHREDDED,
            law="",
            retention=Retention.ACCOUNT,
        ),
    },
    none=["id", "subject_kind", "subject_id", "text"],
)
holds(
    "privacy.KeptConsent",
    "Consent to businesses whose workspace is gone",
    personal=spread(CHOICE, "purpose", "given", "how", "at", "address_mark"),
    none=["id", "tenant_id", "text"],
    unfindable="Its person is erased; who names the address can be looked up by its keyed hash.",
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
    personal=spread(INCIDENT, "declared_by", "reviewed_by"),
    none=[
        "id", "title", "nature", "found_at", "declared_at", "is_drill", "consequences", "measures",
        "scoped_at", "rotation_asked_at", "mail_subject", "mail_text", "notices_asked_at", "public_title",
        "public_text", "published_at", "authority", "authority_reference", "authority_told_at",
        "authority_not_told_because", "closed_at", "mail_trouble", "reviewed_at", "review_found",
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
    personal={"done_by": INCIDENT},
    none=["id", "incident", "schema_name", "name", "done_at", "outcome"],
    unfindable="It names who of the platform's staff replaced it by hand, in the register of incidents.",
)
holds(
    "privacy.IncidentNotice",
    "Told of an incident",
    about=[About(kind, "subject_id") for kind in ("customer", "user", "prospect")],
    personal=spread(INCIDENT, "state", "sent_at", "problem", "given_up_because"),
    none=["id", "incident", "schema_name", "subject_kind", "subject_id", "tries", "next_at"],
)

# The policy, and who was told of its changes.
holds(
    "privacy.PolicyVersion",
    "Versions of the privacy policy",
    none=[
        "id", "number", "text", "sha256", "facts", "summary", "is_substantial", "last_updated",
        "published_at", "published_by", "announced_at", "effective_at",
    ],
)  # fmt: skip
holds(
    "privacy.PolicyRound",
    "How far tenants' people are told of a version",
    none=["id", "version", "schema_name", "people", "told", "failing", "finished_at"],
)
holds(
    "privacy.PolicyNotice",
    "Notices of changes to this policy",
    about=[About(kind, "subject_id") for kind in ("customer", "user")],
    personal=spread(
        Data(
            category=Category.CORRESPONDENCE,
            purposes=(Purpose.LAW,),
            basis=Basis.LEGAL_OBLIGATION,
            retention=Retention.RECORD,
            erasure=Erasure.KEPT,
            law="Art. 5(2) and 13(3) GDPR: that people were told of a change must be shown",
            recipients=(Recipient.MAIL,),
        ),
        "sent_at", "problem", "given_up_at", "given_up_because",
    ),
    none=["id", "subject_kind", "subject_id", "version_id", "attempts", "next_at"],
)  # fmt: skip

# Prospects.
WRITTEN = Data(
    category=Category.CORRESPONDENCE,
    purposes=(Purpose.SUPPORT,),
    basis=Basis.LEGITIMATE_INTEREST,
    retention=Retention.PROSPECT,
    erasure=Erasure.ROW,
    recipients=(Recipient.MAIL,),
)
holds(
    "privacy.ContactMessage",
    "Messages from the contact form",
    about=[About("prospect")],
    personal={
        **spread(WRITTEN, "name", "email", "business"),
        **spread(WRITTEN, "text", "received_at", "last_word_at"),
    },
    none=["id"],
)
holds(
    "privacy.ContactReply",
    "Answers to such messages",
    about=[About("prospect", "message")],
    personal=spread(WRITTEN, "text", "written_at", "sent_at"),
    none=["id", "message", "written_by"],
)
# Requests, in the platform's schema. Whose they are stands in rows of their own, for any tenant's people.
DEMANDED = Data(
    category=Category.CORRESPONDENCE,
    purposes=(Purpose.LAW,),
    basis=Basis.LEGAL_OBLIGATION,
    retention=Retention.REQUEST,
    erasure=Erasure.KEPT,
    law="Art. 5(2), 12(3) GDPR, § 7101 CCPA regulations: that and how a request was answered must be shown",
)
GIVEN_BY_PEOPLE = (
    "It is in the platform's own schema, under the address that wrote; who answers a request gives it out."
)
holds(
    "privacy.DataRequest",
    "Requests about personal data",
    personal={
        **spread(
            DEMANDED, "received_at", "channel", "law", "right", "verdict", "message", "note", "confirmed_at",
            "extended_because", "closed_because",
        ),
        "address": DEMANDED.but(recipients=(Recipient.MAIL,)),
        **spread(DEMANDED.but(category=Category.RECORD), "assigned_to"),
    },
    none=[
        "id", "is_authentic", "was_cut", "due_on", "acknowledge_by", "acknowledged_at", "extended_until",
        "link_mark", "link_mailed_at", "link_expires_at", "assigned_id", "state", "closed_at", "reminded",
    ],
    unfindable=GIVEN_BY_PEOPLE,
)  # fmt: skip
holds(
    "privacy.RequestSubject",
    "Whose address a request came from",
    none=["id", "request", "schema_name", "subject_kind", "subject_id"],
)
holds(
    "privacy.Reply",
    "Replies to requests",
    personal={
        "text": DEMANDED.but(recipients=(Recipient.MAIL,)),
        "sent_to": DEMANDED.but(recipients=(Recipient.MAIL,)),
        "written_by": DEMANDED.but(category=Category.RECORD),
    },
    none=["id", "request", "is_final", "written_id", "written_at", "sent_at"],
    unfindable=GIVEN_BY_PEOPLE,
)
holds(
    "privacy.ReceivedMail",
    "Messages in the mailbox, dealt with",
    personal=spread(DEMANDED, "sender", "received_at"),
    none=["id", "uid_validity", "uid", "mark", "outcome", "why", "request"],
    unfindable=GIVEN_BY_PEOPLE,
)
DISCLOSED = DEMANDED.but(
    category=Category.RECORD,
    recipients=(Recipient.AUTHORITIES,),
    retention=Retention.INCIDENT,
    law="Art. 5(2) GDPR: what was disclosed to an authority, and on what basis, must be shown",
)
holds(
    "privacy.Disclosure",
    "Disclosures to authorities",
    personal={
        **spread(DISCLOSED, "about", "disclosed"),
        "decided_by": DISCLOSED.but(recipients=()),
    },
    none=[
        "id", "authority", "reference", "basis", "received_on", "file_name", "file_sha256", "decided_id",
        "disclosed_at",
    ],
    unfindable="An order may forbid to tell; whoever may know is told by the person who answers a request.",
)  # fmt: skip
CHILD = DEMANDED.but(
    category=Category.RECORD,
    law="Art. 5(2), 8 GDPR: that a child's data were frozen and erased must be shown, not whose",
)
holds(
    "privacy.UnderageReport",
    "Reports of children",
    personal=spread(
        CHILD, "ground", "reported_by", "reported_at", "decision", "decided_by", "decided_at",
        "decided_because", "erased_at", "shut_out",
    ),
    none=["id", "schema_name", "subject_kind", "subject_id", "request", "along"],
    unfindable=GIVEN_BY_PEOPLE,
)  # fmt: skip
holds(
    "privacy.ExportFile",
    "Copies of the data",
    about=[About(kind, "subject_id") for kind in ("customer", "user")],
    personal=spread(
        HELD.but(
            purposes=(Purpose.SERVICE,), retention=Retention.EXPORT_FILE, erasure=Erasure.ROW, law="",
            recipients=(Recipient.AWS,),
        ),
        "asked_at", "state", "downloaded_at",
    ),
    none=[
        "id", "subject_kind", "subject_id", "asked_by", "key", "tables", "rows", "size", "ready_at",
        "expires_at",
    ],
)  # fmt: skip
holds("privacy.News", "News and offers", none=["id", "title", "text", "asked_by", "asked_at"])
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
