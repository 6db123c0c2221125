"""What belongs to one person who logs in: a row at least of each, by the mark of its owner."""

from datetime import timedelta
from uuid import UUID

from accounts.models import (
    BackupCode,
    EmailChange,
    FactorReset,
    KnownDevice,
    LogInPolicy,
    Passkey,
    PasskeyChallenge,
    Session,
    Totp,
    User,
    Visit,
)
from privacy.models import PolicyNotice
from tenants import clock
from tenants.ids import new_id


def demand_second_factors() -> None:
    """Of everyone, so that each page is asked by people who have shown one."""
    LogInPolicy.objects.update_or_create(id=1, defaults={"demand": LogInPolicy.Demand.EVERYONE})


def belongings(user: User, mark: str) -> dict[str, UUID]:
    """Sessions, devices, second factors and changes under way; returns the keys by the route's parameter."""
    now = clock.now()  # links must stand on the day of the test
    later = now + timedelta(days=1)
    host = f"{mark.lower()}.wall.example"
    Totp.objects.create(user=user, secret=f"{mark}secret", created_at=now, confirmed_at=now)
    BackupCode.objects.create(user=user, lookup="ab", hash=f"{mark} hash", created_at=now)
    passkey = Passkey.objects.create(
        user=user, name=f"{mark} key", host=host, credential_id=f"{mark}{user.pk}".encode(),
        public_key=f"{mark} public".encode(), created_at=now,
    )  # fmt: skip
    PasskeyChallenge.objects.create(value=f"{mark} challenge".encode(), expires_at=later)
    session = Session.objects.create(
        user=user, key_hash=f"{mark}{new_id().hex}"[:40], host=host, methods=["password"], begun_at=now,
        last_seen_at=now, ip="192.0.2.1", user_agent=f"{mark} agent", device=f"{mark} device",
        operator_id=f"{mark} operator", operator_label=f"{mark} operator",
    )  # fmt: skip
    PolicyNotice.objects.create(
        subject_kind="user", subject_id=str(user.pk), version_id=new_id(), next_at=now, problem=f"{mark} code"
    )
    PolicyNotice.objects.create(
        subject_kind="user", subject_id=str(user.pk), version_id=new_id(), next_at=now, given_up_at=now,
        given_up_because=f"{mark} reason",
    )  # fmt: skip
    KnownDevice.objects.create(user=user, mark=f"{mark}{user.pk.hex}", last_seen_at=now)
    change = EmailChange.objects.create(
        user=user, old_email=f"{mark}old@wall.example", new_email=f"{mark}other@wall.example",
        asked_at=now, expires_at=later,
    )  # fmt: skip
    done = EmailChange.objects.create(
        user=user, old_email=f"{mark}older@wall.example", new_email=user.email,
        asked_at=now, expires_at=later, done_at=now, undo_until=later,
    )  # fmt: skip
    reset = FactorReset.objects.create(user=user, reason=f"{mark} reason", asked_at=now, due_at=later)
    # Its link is good for a minute after it was made: it was made tomorrow.
    visit = Visit.objects.create(
        user=user, staff_id=new_id(), staff_label=f"{mark} staff", reason=f"{mark} reason", created_at=later
    )
    return {
        "passkey_id": passkey.pk, "session_id": session.pk, "change_id": change.pk, "undo_id": done.pk,
        "reset_id": reset.pk, "visit_id": visit.pk,
    }  # fmt: skip
