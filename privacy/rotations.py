"""What a person replaces after an incident, because no process of the site has the rights for it."""

from datetime import datetime

from audit.actions import Action
from audit.models import AuditEvent
from privacy.rotating import ByHand, replaced_by_hand

START_ANEW = "put it into the environment of web, worker and beat, and start them anew"


def keys_replaced(since: datetime) -> str:
    """Tell of a new key-encryption key since then, and of new data keys for all values after it."""
    for event in AuditEvent.objects.filter(action=Action.KEYS_ROTATED, at__gte=since).order_by("-seq"):
        if event.details.get("left"):
            continue  # some tenant's keys are still wrapped by the old one
        sealed = AuditEvent.objects.filter(action=Action.DATA_KEY_REPLACED, seq__gt=event.seq).first()
        # The platform's own data key is the last to go, and only when nothing anywhere is left.
        if sealed is not None:
            return f"new key-encryption key {event.subject_id}; all values are sealed by new data keys"
    return ""


for each in (
    ByHand(
        "keys",
        "Keys of sealed values",
        "With the rights of deploy/iam/key-keeper.json run `manage.py rotate_keys`, then "
        "`manage.py rotate_keys --data`. It is noticed here by itself once nothing is left.",
        seen=keys_replaced,
    ),
    ByHand(
        "secret_key",
        "SECRET_KEY of the site",
        f"Make a new one; {START_ANEW}. Everybody logs in again, and mailed links are void.",
    ),
    ByHand(
        "stripe_platform",
        "The platform's own Stripe key",
        f"Roll it in Stripe's dashboard; STRIPE_SECRET_KEY: {START_ANEW}.",
    ),
    ByHand(
        "audit_signing",
        "Key that signs the audit record",
        "Add a key to the secret SECRETS_PREFIX/audit-signing and name it as current; keep the others, "
        "they prove what was signed before. Start the workers anew.",
    ),
    ByHand(
        "database",
        "Passwords of the database, the broker and the cache",
        f"ALTER ROLE … PASSWORD for owner and app; new passwords for broker and cache; {START_ANEW}.",
    ),
    ByHand(
        "mail",
        "Log-ins of mail: SMTP and IMAP",
        f"Change them at the provider; EMAIL_URL and PRIVACY_IMAP_URL: {START_ANEW}.",
    ),
    ByHand(
        "aws",
        "Access keys of AWS",
        f"A new one for each user of deploy/iam; {START_ANEW}; then delete the old ones.",
    ),
):
    replaced_by_hand(each)
