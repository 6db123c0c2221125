"""What people prove themselves by, what a session was proven by, of whom more is demanded. Reads only."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from accounts.models import WORKING, BackupCode, FactorReset, LogInPolicy, Passkey, Totp, User

METHODS = "methods"  # of a session; see accounts.sessions
SECOND = frozenset({"totp", "backup_code", "passkey"})


@dataclass(frozen=True, slots=True)
class Factors:
    """A person's second factors. Backup codes stand in for one; they are none by themselves."""

    app: bool
    passkeys: int
    codes_left: int

    @property
    def enough(self) -> bool:
        return self.app or self.passkeys > 0


def factors_of(user: User) -> Factors:
    """Count what the person has, in one query."""
    unused = Count("backup_codes", filter=Q(backup_codes__used_at__isnull=True), distinct=True)
    apps = Totp.objects.filter(user=OuterRef("pk"), confirmed_at__isnull=False)
    keys = Count("passkeys", distinct=True)
    row = User.objects.filter(pk=user.pk).annotate(has_app=Exists(apps), keys=keys, left=unused)
    found = row.values_list("has_app", "keys", "left").first()
    return Factors(*found) if found else Factors(app=False, passkeys=0, codes_left=0)


def open_resets_of(user: User) -> QuerySet[FactorReset]:
    """Return the resets that are promised and still to come."""
    return FactorReset.objects.filter(user=user, cancelled_at__isnull=True, done_at__isnull=True)


def with_factors(users: QuerySet[User]) -> QuerySet[User]:
    """Add to each user, as `has_factor`, whether they have a second factor."""
    apps = Totp.objects.filter(user=OuterRef("pk"), confirmed_at__isnull=False)
    return users.annotate(has_factor=Exists(apps) | Exists(Passkey.objects.filter(user=OuterRef("pk"))))


def confirmed_app(user: User) -> Totp | None:
    return Totp.objects.filter(user=user, confirmed_at__isnull=False).first()


def begun_app(user: User) -> Totp | None:
    return Totp.objects.filter(user=user, confirmed_at__isnull=True).first()


def passkeys_of(user: User) -> list[Passkey]:
    return list(Passkey.objects.filter(user=user).order_by("created_at"))


def people_with_passkeys() -> dict[str, int]:
    """Count at each host the people whose passkeys work only there."""
    rows = Passkey.objects.values_list("host").annotate(people=Count("user", distinct=True))
    return dict(rows.order_by("host"))


def codes_left(user: User) -> int:
    return BackupCode.objects.filter(user=user, used_at__isnull=True).count()


def demand() -> str:
    """Of whom this tenant demands a second factor."""
    kept = LogInPolicy.objects.values_list("demand", flat=True).first()
    return kept or LogInPolicy.Demand.NOBODY


def is_demanded_of(user: User) -> bool:
    """Tell whether this person may not go on without a second factor: the platform's staff always."""
    if user.role == User.Role.PLATFORM:
        return True
    asked = demand()
    return asked == LogInPolicy.Demand.EVERYONE or (
        asked == LogInPolicy.Demand.STAFF and user.role in WORKING
    )


def is_strong(request: HttpRequest) -> bool:
    """Tell whether this session was begun, or since confirmed, with more than a password."""
    return not SECOND.isdisjoint(request.session.get(METHODS, ()))
