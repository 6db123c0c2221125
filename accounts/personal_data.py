"""What is held about people who log in, and about customers."""

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
from privacy.personal_data import RECORD, USAGE

ERASED_NAME = "Erased"
USER = [About("user", "user")]

ACCOUNT = Data(
    category=Category.ACCOUNT,
    purposes=(Purpose.SERVICE, Purpose.SUPPORT),
    basis=Basis.CONTRACT,
    retention=Retention.ACCOUNT,
    erasure=Erasure.BLANK,
)
REACHED = ACCOUNT.but(recipients=(Recipient.STRIPE, Recipient.MAIL))
PROOF = Data(
    category=Category.AUTHENTICATION,
    purposes=(Purpose.SERVICE, Purpose.SECURITY),
    basis=Basis.CONTRACT,
    retention=Retention.ACCOUNT,
    erasure=Erasure.ROW,
    export=Export.WITHHELD,
)
ON_RECORD = RECORD.but(
    erasure=Erasure.KEPT,
    law="Art. 5(2) GDPR: accountability for access by the platform's staff",
)

holds(
    "accounts.Customer",
    "Customer",
    about=[About("customer")],
    personal={
        **spread(REACHED, "name", "email"),
        **spread(
            ACCOUNT,
            "external_id", "business_name", "phone", "address_line1", "address_line2", "city", "state",
            "postal_code",
        ),
        "tax_id": ACCOUNT.but(purposes=(Purpose.SERVICE, Purpose.LAW)),
        "country": ACCOUNT.but(
            purposes=(Purpose.SERVICE, Purpose.LAW),
            basis=Basis.LEGAL_OBLIGATION,
            retention=Retention.BILLING,
            erasure=Erasure.KEPT,
            law="tax law: where the supply was taxed, § 14 UStG and Art. 242 Directive 2006/112/EC",
        ),
    },
    none=["id", "currency", "locale", "status", "created_at"],
    instead={
        "name": lambda customer: ERASED_NAME,
        "email": lambda customer: f"erased-{customer.pk}@erased.invalid",
        "external_id": lambda customer: None,
    },
)  # fmt: skip
holds(
    "accounts.User",
    "Log-in",
    about=[About("user")],
    personal={
        **spread(REACHED, "email", "name"),
        "password": PROOF.but(erasure=Erasure.BLANK),
        "last_login": USAGE.but(erasure=Erasure.BLANK, retention=Retention.ACCOUNT),
    },
    none=[
        "id",
        "role",
        "is_active",
        "locale",
        "created_at",
        "link_generation",
        "password_may_be_short",
    ],
    instead={
        "email": lambda user: f"erased-{user.pk}@erased.invalid",
        "name": lambda user: ERASED_NAME,
        "password": lambda user: "!",
        "last_login": lambda user: None,
    },
)
holds(
    "accounts.Contact",
    "Who acts for a customer",
    about=[About("user", "user"), About("customer", "customer")],
    personal=spread(ACCOUNT.but(category=Category.OPTIONAL, erasure=Erasure.ROW), "is_owner", "permissions"),
    none=["id", "user", "customer", "created_at"],
)
holds(
    "accounts.Invitation",
    "Invitation",
    about=[About("customer", "customer"), About("user", "invited_by", frozenset({"email", "name"}))],
    personal=spread(
        REACHED.but(
            category=Category.OPTIONAL, erasure=Erasure.ROW, retention=Retention.INVITATION,
            recipients=(Recipient.MAIL,),
        ),
        "email", "name",
    ),
    none=[
        "id", "role", "customer", "created_at", "expires_at", "accepted_at", "withdrawn_at", "invited_by",
        "is_owner", "permissions",
    ],
)  # fmt: skip
holds(
    "accounts.EmailChange",
    "Change of address",
    about=USER,
    personal=spread(
        REACHED.but(erasure=Erasure.ROW, retention=Retention.EMAIL_CHANGE, recipients=(Recipient.MAIL,)),
        "old_email", "new_email",
    ),
    none=[
        "id", "user", "link_generation", "asked_at", "expires_at", "done_at", "undo_until", "undone_at",
        "void_at",
    ],
)  # fmt: skip
holds(
    "accounts.Totp",
    "Authenticator app",
    about=USER,
    personal=spread(PROOF, "secret", "last_step"),
    none=["id", "user", "created_at", "confirmed_at"],
)
holds(
    "accounts.BackupCode",
    "Backup codes",
    about=USER,
    personal=spread(PROOF, "lookup", "hash"),
    none=["id", "user", "created_at", "used_at"],
)
holds(
    "accounts.Passkey",
    "Passkey",
    about=USER,
    personal={
        **spread(PROOF, "credential_id", "public_key", "sign_count"),
        **spread(PROOF.but(export=Export.GIVEN), "name", "host"),
    },
    none=["id", "user", "created_at", "last_used_at"],
)
holds("accounts.PasskeyChallenge", "What passkeys are asked to sign", none=["id", "value", "expires_at"])
holds("accounts.LogInPolicy", "Who must have a second factor", none=["id", "demand"])
holds(
    "accounts.FactorReset",
    "Second factors taken away",
    about=USER,
    personal={"reason": ON_RECORD.but(erasure=Erasure.ROW, law="")},
    none=["id", "user", "asked_at", "due_at", "cancelled_at", "done_at"],
)
holds(
    "accounts.Session",
    "Session",
    about=USER,
    personal={
        **spread(USAGE, "host", "methods", "ip", "user_agent", "device", "operator_id", "operator_label"),
        "key_hash": USAGE.but(export=Export.WITHHELD),
    },
    none=["id", "user", "begun_at", "last_seen_at", "ends_at", "ended_at", "ended_because"],
)
holds(
    "accounts.KnownDevice",
    "Device",
    about=USER,
    personal={"mark": USAGE.but(retention=Retention.DEVICE, export=Export.WITHHELD)},
    none=["id", "user", "last_seen_at"],
)
holds(
    "accounts.Visit",
    "Visit of the platform's staff",
    about=USER,
    personal=spread(ON_RECORD, "staff_id", "staff_label", "reason"),
    none=["id", "user", "created_at", "begun_at", "ends_at", "ended_at"],
)
