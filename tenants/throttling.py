"""How often one caller may try something: counted in the cache, or in the database while that is away.

A rule has windows for each thing that is counted by: the account tried at, the caller's network, the tenant.
Each window slides: never more than `times` within any `seconds`. What is refused is not counted, so that
waiting helps. Call it outside of transactions: what is counted has to stay when the caller's work does not.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import redis
from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from tenants.context import current_schema, enter_public
from tenants.models import Throttle

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICRO = 1_000_000
MINUTE, HOUR, DAY = 60, 3600, 86400
AWAY_SECONDS = 2  # how long a cache that did not answer is not asked again
ANSWER_SECONDS = 1

# All of it or nothing: when one window is full, none counts the attempt. Answers how long to wait.
_SPEND = """
local now, member, wait = ARGV[1], ARGV[2], 0
for i, key in ipairs(KEYS) do
  local times, span = tonumber(ARGV[1 + 2 * i]), tonumber(ARGV[2 + 2 * i])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', tonumber(now) - span)
  if redis.call('ZCARD', key) >= times then
    local oldest = redis.call('ZRANGE', key, -times, -times, 'WITHSCORES')
    wait = math.max(wait, tonumber(oldest[2]) + span - tonumber(now))
  end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, now, member)
  redis.call('PEXPIRE', key, math.ceil(tonumber(ARGV[2 + 2 * i]) / 1000))
end
return 0
"""
# Locks the rows in one order, so that two callers with the same windows wait and do not block each other.
_LOCK = (
    "INSERT INTO tenants_throttle AS t (key, hits, expires_at)"
    " SELECT key, '{}', expires_at FROM unnest(%s::text[], %s::timestamptz[]) AS asked (key, expires_at)"
    " ORDER BY key"
    " ON CONFLICT (key) DO UPDATE SET expires_at = greatest(t.expires_at, excluded.expires_at)"
    " RETURNING key, hits"
)
_WRITE = (
    "UPDATE tenants_throttle t SET hits = string_to_array(kept.hits, ',')::bigint[]"
    " FROM unnest(%s::text[], %s::text[]) AS kept (key, hits) WHERE t.key = kept.key"
)


@dataclass(frozen=True, slots=True)
class Window:
    """At most `times` within any `seconds`."""

    times: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be tried how often; `name` keeps its counts apart from those of other rules."""

    name: str
    account: tuple[Window, ...] = ()
    network: tuple[Window, ...] = ()
    tenant: tuple[Window, ...] = ()
    only_in_cache: bool = False  # not worth a row: while the cache is away, nothing is counted


@dataclass(frozen=True, slots=True)
class Caller:
    """Who tries: the account tried at ("" for none), and the network that the attempt comes from."""

    account: str
    network: str


@dataclass(frozen=True, slots=True)
class _Bound:
    key: str
    window: Window


class TooMany(Exception):
    """The caller has to wait this many seconds before the next attempt."""

    def __init__(self, rule: str, retry_after: int) -> None:
        self.rule, self.retry_after = rule, retry_after
        super().__init__(f"{rule}: try again in {retry_after} seconds")


# What every route that changes something allows, whatever else it counts.
ANY = Rule(
    "any",
    account=(Window(240, MINUTE),),
    network=(Window(300, MINUTE),),
    tenant=(Window(3000, MINUTE),),
)
# Pages looked at by somebody logged in: more than a person reads, less than it takes to copy all there is.
READ = Rule("read", account=(Window(1200, MINUTE),), only_in_cache=True)
# What costs much to make, like a PDF.
COSTLY = Rule("costly", account=(Window(120, MINUTE),), network=(Window(240, MINUTE),))
# A password entered, wherever that is; given back when it was right.
PASSWORD = Rule(
    "password",
    account=(Window(10, 5 * MINUTE),),
    network=(Window(10, 5 * MINUTE),),
    tenant=(Window(1000, 5 * MINUTE),),
)
SECOND_FACTOR = Rule(
    "second factor",
    account=(Window(5, 5 * MINUTE), Window(20, HOUR), Window(50, DAY)),
    network=(Window(10, 5 * MINUTE), Window(50, HOUR)),
)
# A link that is mailed to whoever the visitor names.
RESET = Rule("reset", account=(Window(5, DAY),), network=(Window(20, HOUR),), tenant=(Window(1000, HOUR),))
PAY_LINK = Rule("pay link", account=(Window(5, DAY),), network=(Window(20, HOUR),))
# Mail that people who are logged in have sent to others: counted by who has it sent, with what one person has
# reason to send, and then by who gets it and by the tenant. Nobody uses up the tenant's on made-up addresses.
SENDING = Rule(
    "sending mail",
    account=(Window(10, HOUR), Window(30, DAY)),
    network=(Window(10, HOUR), Window(30, DAY)),
)
SENDING_STAFF = Rule("staff sending mail", account=(Window(60, HOUR), Window(300, DAY)))
EMAIL_CHANGE = Rule(
    "change of address", account=(Window(2, DAY),), network=(Window(10, HOUR), Window(30, DAY))
)
MAIL = Rule("mail", account=(Window(10, DAY),), tenant=(Window(500, HOUR), Window(2000, DAY)))
SIGN_UP = Rule(
    "sign-up",
    account=(Window(5, DAY),),
    network=(Window(10, HOUR), Window(30, DAY)),
    tenant=(Window(300, HOUR),),
)
# Public forms that came without their proof of work, by callers without JavaScript and by robots.
UNPROVEN = Rule("form without proof", network=(Window(6, HOUR),), tenant=(Window(300, HOUR),))
# A form that was shown once is taken once.
ONCE = Rule("once", account=(Window(1, 5 * HOUR),))
# Forms without their token: another site may send them from somebody's browser, so they count apart.
TOKENLESS = Rule("form without its token", network=(Window(60, MINUTE),))
# Signatures that are not whole: somebody guesses, or holds an old key.
FORGED = Rule("forged signature", network=(Window(60, MINUTE),))


@dataclass(frozen=True, slots=True)
class Spent:
    """An attempt that was counted, and where."""

    stamp: int
    member: str
    bounds: tuple[_Bound, ...]
    in_cache: bool

    def give_back(self) -> None:
        """Take the attempt out of the counts: it was a good one."""
        keys = [bound.key for bound in self.bounds]
        if self.in_cache:
            try:
                with _client().pipeline(transaction=False) as pipe:
                    for key in keys:
                        pipe.zrem(_cache_key(key), self.member)
                    pipe.execute()
            except (redis.RedisError, OSError):
                _note_absence()
            return
        with enter_public(), transaction.atomic():
            for row in Throttle.objects.select_for_update().filter(key__in=keys).order_by("key"):
                if self.stamp in row.hits:
                    row.hits.remove(self.stamp)
                    row.save(update_fields=["hits"])


def normalised(email: str) -> str:
    """Return what counts as one account: PostgreSQL finds people by the upper case of their address."""
    return email.strip().upper().casefold()


def spend(rule: Rule, caller: Caller, *, now: datetime) -> Spent:
    """Count one attempt; raises `TooMany` when there were enough already."""
    bounds = _bounds(rule, caller)
    stamp = (now - EPOCH) // timedelta(microseconds=1)
    member = f"{stamp}-{secrets.token_hex(8)}"
    cached = _spend_in_cache(bounds, stamp, member)
    if cached is None:
        wait = 0 if rule.only_in_cache else _spend_in_database(bounds, stamp, now)
    else:
        wait = cached
    if wait > 0:
        raise TooMany(rule.name, -(-wait // MICRO))
    return Spent(stamp, member, bounds, in_cache=cached is not None)


def purge(*, now: datetime, dry_run: bool = False) -> int:
    """Forget what no window reaches back to any more; returns how many rows. In the shared schema."""
    over = Throttle.objects.filter(expires_at__lt=now)
    return over.count() if dry_run else over.delete()[0]


def _bounds(rule: Rule, caller: Caller) -> tuple[_Bound, ...]:
    schema = current_schema()
    counted = (
        ("account", rule.account if caller.account else (), f"{schema}\0{caller.account}"),
        ("network", rule.network, caller.network),
        ("tenant", rule.tenant, schema),
    )
    found = [
        _Bound(_hashed(f"{rule.name}\0{kind}\0{window.times}/{window.seconds}\0{subject}"), window)
        for kind, windows, subject in counted
        for window in windows
    ]
    return tuple(sorted(found, key=lambda bound: bound.key))


def _hashed(text: str) -> str:
    """A key that tells nobody whose it is."""
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


# In the cache.

_away_until = 0.0  # not money: seconds


@cache
def _client_at(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def _client() -> redis.Redis:
    return _client_at(str(settings.CACHES["default"]["LOCATION"]))


def _cache_key(key: str) -> str:
    return f"throttle:{caches['default'].key_prefix}:{key}"


def _note_absence() -> None:
    global _away_until
    _away_until = time.monotonic() + AWAY_SECONDS


def _spend_in_cache(bounds: Sequence[_Bound], stamp: int, member: str) -> int | None:
    """Return the microseconds to wait, 0 when the attempt was counted, None when the cache is away."""
    if time.monotonic() < _away_until:
        return None
    arguments: list[str | int] = [stamp, member]
    for bound in bounds:
        arguments += [bound.window.times, bound.window.seconds * MICRO]
    keys = [_cache_key(bound.key) for bound in bounds]
    try:
        client = _client()
        return int(client.register_script(_SPEND)(keys=keys, args=arguments, client=client))
    except (redis.RedisError, OSError):
        _note_absence()
        return None


# In the database.


def _spend_in_database(bounds: Sequence[_Bound], stamp: int, now: datetime) -> int:
    """Return the microseconds to wait, 0 when the attempt was counted."""
    windows = {bound.key: bound.window for bound in bounds}
    ends = [now + timedelta(seconds=window.seconds) for window in windows.values()]
    with enter_public(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(windows), ends])
        kept = {
            key: [hit for hit in hits if hit > stamp - windows[key].seconds * MICRO]
            for key, hits in cursor.fetchall()
        }
        wait = max((_wait(hits, windows[key], stamp) for key, hits in kept.items()), default=0)
        if wait == 0:
            for hits in kept.values():
                hits.append(stamp)
        texts = [",".join(map(str, hits)) for hits in kept.values()]
        cursor.execute(_WRITE, [list(kept), texts])
    return wait


def _wait(hits: Sequence[int], window: Window, stamp: int) -> int:
    if len(hits) < window.times:
        return 0
    return sorted(hits)[-window.times] + window.seconds * MICRO - stamp
