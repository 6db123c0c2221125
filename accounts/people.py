"""Making users, and who may act for which customer."""

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts import sessions
from accounts.grants import Grant
from accounts.hashers import imported
from accounts.models import Contact, Customer, User
from accounts.promised import is_promised
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record


class EmailTaken(ValueError):
    """Somebody in this tenant logs in with this address already, or may get it back."""


def create_user(
    *,
    email: str,
    name: str,
    role: str,
    password: str | None,
    actor: Actor,
    now: datetime,
    locale: str = "en",
    bcrypt_hash: str = "",
) -> User:
    """Make a user; without a password it cannot log in until one is set. Raises `EmailTaken`.

    A `bcrypt_hash` of another system (`$2y$…`) is taken instead of a password; raises `HashRefused`. How long
    that password is shows when it is entered: see `passwords.stands`.
    """
    user = User(email=email.strip(), name=name.strip(), role=role, locale=locale, created_at=now)
    if bcrypt_hash:
        user.password = imported(bcrypt_hash)
        user.password_may_be_short = True
    elif password is None:
        user.set_unusable_password()
    else:
        user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            if is_promised(user.email, user, now=now):  # asked once a change under way has let go of it
                raise EmailTaken(f"{user.email} may be given back to whose it was. Use it in a week.")
            record(
                Action.USER_CREATED, subject=("user", user.id), actor=actor, now=now, after={"role": role},
                personal={"after": {"email": user.email, "name": user.name}},
            )  # fmt: skip
    except IntegrityError as error:
        raise EmailTaken(f"{user.email} is in use already.") from error
    return user


def add_contact(
    user: User, customer: Customer, *, actor: Actor, now: datetime, grant: Grant | None = None
) -> Contact:
    """Let the user act for the customer: as an owner unless told for what; what it may already it keeps."""
    given = grant or Grant.owner()
    with transaction.atomic():
        contact, made = Contact.objects.get_or_create(
            user=user,
            customer=customer,
            defaults={"created_at": now, "is_owner": given.is_owner, "permissions": given.names},
        )
        if made:
            record(
                Action.CONTACT_ADDED,
                subject=("customer", customer.id),
                actor=actor,
                now=now,
                after={"user": str(user.id), "may": given.words},
                personal={"after": {"email": user.email}},
                about=("user", user.id),
            )
        else:
            both = contact.grant.permissions | given.permissions
            widened = Grant.of(both, is_owner=contact.is_owner or given.is_owner)
            set_grant(contact, widened, actor=actor, now=now)
    return contact


def set_grant(
    contact: Contact, grant: Grant, *, actor: Actor, now: datetime, keep: str | None = None
) -> None:
    """Write what the locked contact may do from now on; nothing when it is the same.

    Rights are read with every request, so one taken away is gone with the next. When rights are added, the
    person's sessions end, but for the one of the key `keep`: none grows more powerful unseen.
    """
    before = contact.grant
    if before == grant:
        return
    contact.is_owner, contact.permissions = grant.is_owner, grant.names
    contact.save(update_fields=["is_owner", "permissions"])
    record(
        Action.CONTACT_CHANGED,
        subject=("customer", contact.customer_id),
        actor=actor,
        now=now,
        before={"may": before.words},
        after={"may": grant.words},
        personal={"contact": contact.user.email},
        about=("user", contact.user_id),
    )
    if not before.covers(grant):
        sessions.end_others(contact.user, keep=keep, actor=actor, now=now)


def owners() -> list[User]:
    """Return who owns the tenant entered, by name."""
    return list(User.objects.filter(role=User.Role.OWNER, is_active=True).order_by("name", "email"))
