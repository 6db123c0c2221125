"""Sessions of people: begun once it is known who they are, checked with every request, ended at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.utils.crypto import constant_time_compare

from accounts import confirming, known_devices
from accounts.acting import actor_of, origin_of
from accounts.devices import device_of
from accounts.models import Session, User
from accounts.promised import told_besides
from accounts.session_limits import SEEN_EVERY, over_because
from accounts.session_store import forget_rows, stored_key
from audit.actions import Action
from audit.actors import Actor
from audit.persons import staff_of
from audit.recording import Note, record, record_many
from tenants.jobs import enqueue

BACKEND = "accounts.backends.EmailBackend"
METHODS = "methods"
OVER = "session_over"  # why the last one ended, for the log-in page to tell
NOTE_LASTS = 3600
UNTOLD = frozenset({Session.Ended.LOGGED_OUT, Session.Ended.REPLACED})


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts in a session that is somebody else's: both are on record."""

    id: str
    label: str


def begin(
    request: HttpRequest,
    user: User,
    *,
    methods: Collection[str],
    now: datetime,
    operator: Operator | None = None,
    lifetime: timedelta | None = None,
) -> Session:
    """Log the person in: a session with a new key that says by which `methods` they were recognised.

    What the browser had before is gone with its key. With an `operator`, that one acts as `user`: no device
    becomes known by it, and nothing that asks for a confirmation opens. `lifetime` ends the session early.
    """
    with transaction.atomic():
        last_login = user.last_login
        first = last_login is None
        replaced = _replace(request, now=now)
        auth.login(request, user, backend=BACKEND)
        if operator is not None:
            User.objects.filter(pk=user.pk).update(last_login=last_login)
        request.session.set_expiry(None)
        request.session.pop(OVER, None)
        request.session[METHODS] = sorted(methods)
        row = _row(request, user, methods=methods, now=now, operator=operator, lifetime=lifetime)
        row.save(force_insert=True)
        new = operator is None and known_devices.note(user, row.device, row.ip, now=now)
        record(
            Action.USER_LOGGED_IN, subject=("user", user.pk), actor=actor_of(request, user), now=now,
            methods=sorted(methods), session=str(row.pk), **replaced,
            personal={"operator": operator.label} if operator else None,
            about=staff_of(operator.id) if operator else None,
        )  # fmt: skip
        if new and not first:
            enqueue("accounts.mail_new_device", session_id=str(row.pk))
            for change_id in told_besides(user, now=now):
                enqueue("accounts.mail_new_device", session_id=str(row.pk), change_id=change_id)
    if operator is None:
        confirming.confirm(request, now)
    else:
        confirming.forget(request)
    _remember(request, row)
    return row


def of(request: HttpRequest) -> Session | None:
    """Return the session that this request belongs to."""
    bool(request.user.is_authenticated)  # looks it up
    found = getattr(request, "_session_row", None)
    return found if isinstance(found, Session) else None


def person_of(request: HttpRequest, *, now: datetime) -> User | AnonymousUser:
    """Return whose request this is, if its session lives; a session that is over ends here, and says why."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    living = Session.objects.select_related("user")
    row = living.filter(key_hash=stored_key(key), host=host_of(request)).first() if key else None
    if row is None:
        if auth.SESSION_KEY in request.session:
            request.session.flush()  # logged in without a row: not by us
        return AnonymousUser()
    why = row.ended_because or _over(row, request, now=now)
    if not why:
        _seen(row, request, now=now)
        _remember(request, row)
        return row.user
    if row.ended_at is None:
        end(row, actor=Actor.system("sessions"), now=now, because=why)
    request.session.flush()
    if why not in UNTOLD:
        request.session[OVER] = why
        request.session.set_expiry(NOTE_LASTS)
    return AnonymousUser()


def end(session: Session, *, actor: Actor, now: datetime, because: str = Session.Ended.ENDED) -> bool:
    """End one session; its next request is a stranger's. Returns whether it was living until now."""
    return _end(Session.objects.filter(pk=session.pk), actor=actor, now=now, because=because) > 0


def end_others(
    user: User, *, keep: str | None, actor: Actor, now: datetime, because: str = Session.Ended.CREDENTIALS
) -> int:
    """End all sessions of the user but the one of the key `keep` (`request.session.session_key`)."""
    of_user = Session.objects.filter(user=user)
    if keep:
        of_user = of_user.exclude(key_hash=stored_key(keep))
    return _end(of_user, actor=actor, now=now, because=because)


def leave_only(user: User, *, keep: str | None, actor: Actor, now: datetime) -> int:
    """End the user's other sessions, as they asked, and void mailed links; returns how many ended."""
    with transaction.atomic():
        void_links(user)
        return end_others(user, keep=keep, actor=actor, now=now, because=Session.Ended.ENDED)


def void_links(user: User) -> None:
    """Make void what was mailed to the person before: links that set a password or another address."""
    User.objects.filter(pk=user.pk).update(link_generation=F("link_generation") + 1)


def end_all(*, actor: Actor, now: datetime, because: str) -> int:
    """End every session of the schema entered; returns how many."""
    return _end(Session.objects.all(), actor=actor, now=now, because=because)


def rotate(request: HttpRequest, user: User) -> None:
    """Give this session a new key, and go on with it after the user's own password or rights changed."""
    auth.update_session_auth_hash(request, user)


def rotate_if(request: HttpRequest, changed: User | AnonymousUser) -> None:
    """Give this session a new key if it is the session of the person whose rights were changed."""
    if isinstance(request.user, User) and request.user.pk == changed.pk:
        rotate(request, request.user)


def finish(request: HttpRequest, *, now: datetime) -> None:
    """Log out: the session of this request is over, its data is gone."""
    user, row = request.user, of(request)
    which: dict[str, Any] = {"session": str(row.pk)} if row else {}
    if isinstance(user, User):
        with transaction.atomic():
            if row is not None:
                _close([row], now=now, because=Session.Ended.LOGGED_OUT)
            actor = actor_of(request)
            record(Action.USER_LOGGED_OUT, subject=("user", user.pk), actor=actor, now=now, **which)
    auth.logout(request)


def host_of(request: HttpRequest) -> str:
    """Return the host that the request is for, without its port."""
    return split_domain_port(request.get_host())[0]


def _end(which: QuerySet[Session], *, actor: Actor, now: datetime, because: str) -> int:
    with transaction.atomic():
        locked = which.filter(ended_at__isnull=True).order_by("pk").select_for_update(of=("self",))
        rows = list(locked)
        _close(rows, now=now, because=because)
        notes = [
            Note(
                Action.SESSION_ENDED, "user", str(row.user_id),
                {"session": str(row.pk), "because": because}, {"device": row.device},
            )
            for row in rows
        ]  # fmt: skip
        record_many(notes, actor=actor, now=now)
    return len(rows)


def _close(rows: list[Session], *, now: datetime, because: str) -> None:
    """Mark the rows as over and drop their data, so that their keys open nothing from now on."""
    living = Session.objects.filter(pk__in=[row.pk for row in rows], ended_at__isnull=True)
    living.update(ended_at=now, ended_because=because)
    forget_rows([row.key_hash for row in rows])


def _replace(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """Leave behind what this browser was logged in as; returns what the record says of it."""
    if auth.SESSION_KEY not in request.session:
        return {}
    key = request.session.session_key
    row = Session.objects.filter(key_hash=stored_key(key), ended_at__isnull=True).first() if key else None
    if row is not None:
        _close([row], now=now, because=Session.Ended.REPLACED)
    request.session.flush()
    return {"replaces": str(row.pk)} if row else {}


def _row(
    request: HttpRequest,
    user: User,
    *,
    methods: Collection[str],
    now: datetime,
    operator: Operator | None,
    lifetime: timedelta | None,
) -> Session:
    key = request.session.session_key
    assert key is not None
    ip, agent = origin_of(request)
    return Session(
        user=user,
        key_hash=stored_key(key),
        host=host_of(request),
        methods=sorted(methods),
        begun_at=now,
        last_seen_at=now,
        ends_at=now + lifetime if lifetime else None,
        ip=ip,
        user_agent=agent,
        device=device_of(agent),
        operator_id=operator.id if operator else "",
        operator_label=operator.label[:254] if operator else "",
    )


def _over(row: Session, request: HttpRequest, *, now: datetime) -> str:
    """Why the living row is over by now."""
    over = over_because(
        row.user.role, begun_at=row.begun_at, last_seen_at=row.last_seen_at, ends_at=row.ends_at, now=now
    )
    return over or ("" if _still_the_user(row, request) else Session.Ended.CREDENTIALS)


def _still_the_user(row: Session, request: HttpRequest) -> bool:
    """The session's data is there, is this user's, and its password is the one of the log-in."""
    data, user = request.session, row.user
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    claimed = str(data.get(auth.HASH_SESSION_KEY, ""))
    return (
        user.is_active
        and data.get(auth.SESSION_KEY) == str(user.pk)
        and any(constant_time_compare(claimed, each) for each in hashes)
    )


def _seen(row: Session, request: HttpRequest, *, now: datetime) -> None:
    """Note when and from where it was last used: once a minute, by one of the requests of that minute."""
    if now - row.last_seen_at < SEEN_EVERY:
        return
    ip, _ = origin_of(request)
    same = Session.objects.filter(pk=row.pk, last_seen_at=row.last_seen_at)
    same.update(last_seen_at=now, ip=ip)
    row.last_seen_at, row.ip = now, ip


def _remember(request: HttpRequest, row: Session) -> None:
    request._session_row = row  # type: ignore[attr-defined]
