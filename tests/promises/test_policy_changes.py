"""What happens when the policy changes: W3 and W4."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from ssl import SSLCertVerificationError
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client, override_settings
from django.urls import reverse

from privacy import policy_notices, policy_queries, policy_text, publishing, retention, sweeping
from privacy.inventory import Retention
from privacy.models import ContactMessage, PolicyNotice, PolicyRound, PolicyVersion
from privacy.periods import PERIODS
from privacy.publishing import PublishingRefused
from proecommerce.alarms import alarms
from tenants import clock
from tenants.context import enter, enter_public
from tests.billing.portal import making
from tests.promises.telling import do_jobs, only, published, refusing, retitle, share

DAY = timedelta(days=1)
NOTICE = timedelta(days=30)
TELL = (
    "privacy.plan_policy_notices",
    "privacy.send_policy_notices",
    "privacy.retry_policy_notices",
    "privacy.give_up_policy_notices",
)


@pytest.fixture
def today() -> datetime:
    """The real day: the first version was published when the database was made."""
    return clock.wall()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let pages believe that it is another time."""

    def believe(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)
        monkeypatch.setattr(clock, "wall", lambda: moment)

    return believe


def page(path: str, status: int = 200) -> str:
    answer = Client(HTTP_HOST=settings.SITE_HOST).get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


def refused_by_the_database(version: Any, **values: Any) -> str:
    with enter_public(), pytest.raises(DatabaseError) as error, transaction.atomic():
        PolicyVersion.objects.filter(pk=version.pk).update(**values)
    return str(error.value)


def test_w3_each_change_moves_the_date_and_the_version_of_any_day_can_be_shown(
    db: None, monkeypatch: pytest.MonkeyPatch, at: Any, actor: Any, today: datetime
) -> None:
    with enter_public():
        first = policy_queries.in_force(now=today)
    assert first is not None and first.text in page("/privacy/")
    retitle(monkeypatch, "Customers and their addresses")
    assert "Customers and their addresses" not in page("/privacy/")  # no text changes without a version
    changed_on = today + 10 * DAY
    at(changed_on)
    second = published("We call customers something else.", actor, changed_on)
    assert (second.number, second.last_updated) == (first.number + 1, changed_on.date())
    html = page("/privacy/")
    assert second.text in html and "Customers and their addresses" in html
    said = f"updated {changed_on:%b} {changed_on.day}, {changed_on.year}"
    assert said in page("/")  # the link at the foot of every page
    assert f"Last updated {changed_on:%B} {changed_on.day}, {changed_on.year}" in html
    # any day
    assert first.text in page(f"/privacy/on/{first.effective_at.date()}/")
    assert first.text in page(f"/privacy/on/{(changed_on - DAY).date()}/")
    assert second.text in page(f"/privacy/on/{changed_on.date()}/")
    assert "as things stand" in page(f"/privacy/on/{(changed_on + 400 * DAY).date()}/")
    before = page(f"/privacy/on/{(first.effective_at - DAY).date()}/", 404)
    assert "There was no policy on" in before and "The first version took effect on" in before
    for odd in ("2026-13-01", "yesterday", "20261224", "2026-W01-1", "9999-12-31", "0000-00-00"):
        page(f"/privacy/on/{odd}/", 404)
    # all of them, each with the next one to it
    listed = page("/privacy/versions/")
    assert listed.index("We call customers something else.") < listed.index(publishing.FIRST)
    assert listed.count("in force</span>") == 1
    assert f'rel="prev" href="/privacy/versions/{first.number}/"' in page("/privacy/")
    assert f'rel="next" href="/privacy/versions/{second.number}/"' in page(
        f"/privacy/versions/{first.number}/"
    )
    found = Client(HTTP_HOST=settings.SITE_HOST).get("/privacy/versions/", {"day": "2026-12-24"})
    assert (found.status_code, found["Location"]) == (302, "/privacy/on/2026-12-24/")
    page("/privacy/versions/?day=soon", 422)
    # and what was published stays as it was
    assert policy_text.sha256(first.text) == first.sha256
    for values in ({"text": "other"}, {"last_updated": today.date()}, {"effective_at": today}):
        assert "is not changed" in refused_by_the_database(second, **values)
    with enter_public(), pytest.raises(DatabaseError, match="stays"), transaction.atomic():
        PolicyVersion.objects.all().delete()


def test_w3_page_and_template_drift_apart_only_with_a_warning(
    db: None, monkeypatch: pytest.MonkeyPatch, actor: Any, today: datetime
) -> None:
    call_command("check_policy")
    with enter_public():
        assert publishing.publish_first(now=today) is None
        with pytest.raises(PublishingRefused, match="Nothing has changed"):
            published("Nothing", actor, today)
    share(monkeypatch)
    with pytest.raises(CommandError, match=r"\(newly shared: S4: C2\).*publish_policy --substantial"):
        call_command("check_policy")
    with pytest.raises(CommandError, match="This change is substantial: newly shared: S4: C2"):
        call_command("publish_policy", summary="Names go to Let's Encrypt.")
    said: list[str] = []
    with enter_public():
        publishing.first_policy(today, said.append)
        assert "says something else now" in said[0]
        # and on top of every page of the staff's admin, until it is published
        with override_settings(ROOT_URLCONF=settings.PUBLIC_URLCONF):
            (alarm,) = (each for each in alarms(now=today) if "publish_policy" in each.text)
            assert alarm.url == reverse("admin:policy_publish")


def test_w4_a_substantial_change_holds_30_days_after_everybody_was_told_at_the_earliest(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, at: Any, actor: Any, today: datetime
) -> None:
    only("alpha", "beta")
    owner = making.person("owner@w4.example", "owner")
    account = making.account("contact@w4.example")
    alone = making.customer("Ida Holm", email="alone@w4.example")  # nobody logs in for her
    gone = making.person("gone@w4.example", "support")
    gone.is_active = False
    gone.save()
    with enter_public():
        first = policy_queries.in_force(now=today)
    share(monkeypatch)
    with pytest.raises(PublishingRefused, match="30 days at the earliest"):
        published("Names.", actor, today, is_substantial=True, effective_at=today + 29 * DAY)
    version = published("Names go to Let's Encrypt.", actor, today, is_substantial=True)
    assert version.effective_at >= today + NOTICE and version.effective_at.time() == time()
    assert first is not None and first.text in page("/privacy/")
    assert "takes effect on" in page("/privacy/")
    assert "Not in force yet" in page(f"/privacy/versions/{version.number}/")
    # before anybody is told the database refuses
    assert "was told of this version" in refused_by_the_database(version, announced_at=today)
    mail.outbox.clear()
    with refusing(monkeypatch, "alone@w4.example"):
        do_jobs(*TELL)
        for hours in (2, 4):  # and twice more
            policy_notices.send_batch(version.pk, now=today + timedelta(hours=hours))
    told = [each for each in mail.outbox if each.to[0].endswith("@w4.example")]
    assert Counter(each.to[0] for each in told) == {"owner@w4.example": 1, "contact@w4.example": 1}
    (letter,) = (each for each in told if each.to == ["owner@w4.example"])
    day = f"{version.effective_at:%-d %B %Y}"
    assert letter.subject == f"Our privacy policy changes on {day}"
    assert "Names go to Let's Encrypt." in letter.body
    assert f"{settings.SITE_URL.rstrip('/')}/privacy/versions/{version.number}/" in letter.body
    # each one's notice is on record
    rows = {row.subject_id: row for row in PolicyNotice.objects.filter(version_id=version.pk)}
    assert rows[str(owner.pk)].sent_at and rows[str(account.user.pk)].sent_at
    assert rows[str(alone.pk)].problem == "recipient refused with 550" and rows[str(alone.pk)].attempts == 3
    assert str(gone.pk) not in rows and str(account.customer.pk) not in rows
    with pytest.raises(DatabaseError, match="not changed"), transaction.atomic():
        PolicyNotice.objects.filter(pk=rows[str(owner.pk)].pk).update(sent_at=None)
    # one who cannot be reached holds it up until a person says why
    with enter_public():
        publishing.watch_announcements(today + DAY)
        version.refresh_from_db()
        assert version.announced_at is None
        assert policy_queries.progress(version).failing == 1
        PolicyRound.objects.filter(version=version).update(failing=0)
    assert "was told of this version" in refused_by_the_database(version, announced_at=today + DAY)
    with enter_public():
        PolicyRound.objects.filter(version=version, schema_name="t_alpha").update(failing=1)
        policy_notices.give_up(version, because="The address is dead.", actor=actor, now=today)
    do_jobs(*TELL)
    # told too late, it may not hold; told in time, it may
    late = version.effective_at - NOTICE + timedelta(seconds=1)
    assert "30_days_after_all_were_told" in refused_by_the_database(version, announced_at=late)
    with enter_public():
        assert policy_queries.progress(version).percent == 100
        publishing.watch_announcements(today + DAY)
        version.refresh_from_db()
        assert version.announced_at == today + DAY
        assert policy_queries.in_force(now=version.effective_at - timedelta(seconds=1)) == first
        assert policy_queries.in_force(now=version.effective_at) == version
    assert "is not changed" in refused_by_the_database(version, announced_at=today)
    at(version.effective_at)
    assert version.text in page("/privacy/")
    assert first.text in page(f"/privacy/on/{(version.effective_at - DAY).date()}/")


def test_w4_what_is_no_address_holds_up_nobody_and_a_person_has_to_look_at_it(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, actor: Any, today: datetime, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # the others let it pass
    only("alpha", "beta")
    wrong = making.customer("Ida Holm", email="one@w4.example, two@w4.example")
    behind = making.person("behind@w4.example", "owner")
    share(monkeypatch)
    version = published("Names go to Let's Encrypt.", actor, today, is_substantial=True)
    policy_notices.plan(version.pk, now=today)
    policy_notices.send_batch(version.pk, now=today)
    rows = {row.subject_id: row for row in PolicyNotice.objects.filter(version_id=version.pk)}
    assert rows[str(behind.pk)].sent_at
    assert (rows[str(wrong.pk)].problem, rows[str(wrong.pk)].attempts) == ("not an address", 3)


def test_w4_a_mail_server_with_a_false_certificate_is_no_fault_of_the_address(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, actor: Any, today: datetime
) -> None:
    only("alpha", "beta")
    owner = making.person("owner@w4.example", "owner")
    share(monkeypatch)
    version = published("Names go to Let's Encrypt.", actor, today, is_substantial=True)
    policy_notices.plan(version.pk, now=today)

    def refuse(self: Any, messages: Any) -> int:
        raise SSLCertVerificationError("certificate verify failed")  # an OSError and a ValueError

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        with pytest.raises(SSLCertVerificationError):
            policy_notices.send_batch(version.pk, now=today)
    notice = PolicyNotice.objects.get(version_id=version.pk, subject_id=str(owner.pk))
    assert (notice.problem, notice.attempts) == ("", 0)
    policy_notices.send_batch(version.pk, now=today)
    notice.refresh_from_db()
    assert notice.sent_at


def test_w4_mails_keep_to_the_hourly_cap_and_go_on_where_they_were_cut_off(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, actor: Any, today: datetime
) -> None:
    only("alpha")
    people = [making.person(f"p{number}@w4.example", "support").email for number in range(5)]
    settings.NOTICES_PER_HOUR = 2
    share(monkeypatch)
    version = published("Names.", actor, today, is_substantial=True)
    policy_notices.plan(version.pk, now=today)
    others = PolicyNotice.objects.exclude(subject_id__in=_ids(people))
    others.filter(version_id=version.pk).update(given_up_at=today, given_up_because="of other tests")
    mail.outbox.clear()
    following = policy_notices.send_batch(version.pk, now=today)
    assert len(mail.outbox) == 2 and following is not None
    assert today < following <= today + timedelta(hours=1, seconds=1)
    assert policy_notices.send_batch(version.pk, now=today + timedelta(minutes=30)) is not None
    assert len(mail.outbox) == 2
    # the mail server is away in the middle of the next batch
    usual, calls = EmailBackend.send_messages, []

    def away(self: Any, messages: Any) -> int:
        calls.append(messages)
        if len(calls) == 2:
            raise ConnectionRefusedError
        return usual(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", away)
    with pytest.raises(ConnectionRefusedError):
        policy_notices.send_batch(version.pk, now=today + timedelta(hours=2))
    assert len(mail.outbox) == 3
    moment = today + timedelta(hours=4)
    while (following := policy_notices.send_batch(version.pk, now=moment)) is not None:
        assert following > moment
        moment = following
    assert sorted(each.to[0] for each in mail.outbox) == sorted(people)  # each of them, once
    with enter_public():
        assert publishing.announce(version, now=moment)
    assert version.effective_at - moment >= NOTICE


def test_w4_a_version_told_too_late_never_takes_effect_and_mails_nobody_more(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, actor: Any, today: datetime
) -> None:
    only("alpha")
    making.person("owner@w4.example", "owner")
    share(monkeypatch)
    version = published("Names.", actor, today, is_substantial=True)
    policy_notices.plan(version.pk, now=today)
    mail.outbox.clear()
    late = version.effective_at - NOTICE + DAY
    assert policy_notices.send_batch(version.pk, now=late) is None and mail.outbox == []
    with enter_public():
        assert policy_queries.in_force(now=version.effective_at + DAY) != version
        assert version not in policy_queries.being_announced(now=late)
        assert policy_queries.coming(now=late) is None
    monkeypatch.setattr(clock, "now", lambda: late)
    page(f"/privacy/versions/{version.number}/", 404)
    # nobody heard of its changes: no small version brings them into force, whatever its number
    with pytest.raises(PublishingRefused, match="is substantial: newly shared: S4: C2"):
        published("Words.", actor, late)
    with pytest.raises(CommandError, match=r"\(newly shared: S4: C2\).*publish_policy --substantial"):
        call_command("check_policy")
    again = published("Names, later.", actor, late, is_substantial=True)  # the same text, told anew
    assert again.sha256 == version.sha256 and again.effective_at > version.effective_at


def test_w4_another_time_of_keeping_holds_from_the_day_of_its_version_not_of_its_code(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, actor: Any, today: datetime
) -> None:
    only("alpha")
    rules = Retention.PROSPECT, Retention.SESSION
    before = [retention.over_before(rule, today) for rule in rules]
    assert before == [PERIODS[rule].over_before(today) for rule in rules]
    monkeypatch.setitem(PERIODS, rules[0], replace(PERIODS[rules[0]], words="10 days", days=10, years=None))
    monkeypatch.setitem(PERIODS, rules[1], replace(PERIODS[rules[1]], words="60 days", days=60))
    assert [retention.over_before(rule, today) for rule in rules] == before
    version = published("Shorter and longer.", actor, today, is_substantial=True)
    policy_notices.plan(version.pk, now=today)
    PolicyNotice.objects.filter(version_id=version.pk).update(given_up_at=today, given_up_because="a test")
    policy_notices.send_batch(version.pk, now=today)
    day, eve = version.effective_at, version.effective_at - timedelta(seconds=1)
    with enter_public():
        assert publishing.announce(version, now=today + timedelta(hours=1))
        old = ContactMessage.objects.create(
            name="x", email="x@w4.example", text="x", received_at=today, last_word_at=day - 20 * DAY
        )
        for moment, stays in ((eve, True), (day, False)):
            sweeping.prospects(now=moment, dry_run=False, actor=actor)
            assert ContactMessage.objects.filter(pk=old.pk).exists() == stays
    assert [day - retention.over_before(rule, day) for rule in rules] == [10 * DAY, 60 * DAY]
    assert eve - retention.over_before(rules[1], eve) == 30 * DAY


def test_w4_what_people_were_told_stays_for_ever_goes_by_no_code(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, today: datetime
) -> None:
    monkeypatch.setitem(PERIODS, Retention.CONSENT, replace(PERIODS[Retention.CONSENT], days=1))
    assert retention.over_before(Retention.CONSENT, today).year == 1


def test_w4_the_database_lets_no_small_version_bring_what_people_were_not_told_of(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, actor: Any, today: datetime
) -> None:
    only("alpha")
    with monkeypatch.context() as shared:
        share(shared)
        lapsed = published("Names.", actor, today, is_substantial=True)
        late = lapsed.effective_at + DAY
        retitle(shared, "Other words")
        shared.setattr(publishing, "_refuse", lambda *args, **more: None)
        for moment, why in ((today, "is being told of"), (late, "nobody was told of")):
            with pytest.raises(DatabaseError, match=why), transaction.atomic():
                published("Words.", actor, moment)
    retitle(monkeypatch, "Other words")
    assert published("Words alone.", actor, late).number == lapsed.number + 1


def test_w3_versions_take_effect_in_the_order_of_their_numbers(
    db: None, monkeypatch: pytest.MonkeyPatch, actor: Any, today: datetime
) -> None:
    retitle(monkeypatch, "Other words")
    coming = published("Words.", actor, today, effective_at=today + 10 * DAY)
    retitle(monkeypatch, "Still other words")
    with pytest.raises(PublishingRefused, match=f"Version {coming.number} takes effect on"):
        published("Words again.", actor, today)
    published("Words again.", actor, today, effective_at=coming.effective_at)


def test_w4_while_a_substantial_change_is_coming_no_small_one_overtakes_it(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, actor: Any, today: datetime
) -> None:
    only("alpha")
    share(monkeypatch)
    published("Names.", actor, today, is_substantial=True)
    retitle(monkeypatch, "Other words")
    with pytest.raises(PublishingRefused, match="already has its changes"):
        published("Words.", actor, today)


def test_w4_the_day_leaves_time_for_every_mail() -> None:
    now = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
    assert publishing.earliest(now, people=0, per_hour=300) == datetime(2026, 12, 27, tzinfo=UTC)
    assert publishing.earliest(now, people=300 * 240, per_hour=300) == datetime(2027, 1, 6, tzinfo=UTC)


def _ids(emails: list[str]) -> list[str]:
    from accounts.models import User

    return [str(pk) for pk in User.objects.filter(email__in=emails).values_list("pk", flat=True)]


def test_w4_a_tenant_that_came_later_need_not_be_told(
    two_tenants: Any, monkeypatch: pytest.MonkeyPatch, actor: Any, today: datetime
) -> None:
    alpha, beta = two_tenants
    only("alpha", "beta")
    share(monkeypatch)
    with enter_public():
        type(beta).objects.filter(pk=beta.pk).update(created_at=today + DAY)
    version = published("Names.", actor, today, is_substantial=True)
    with enter(alpha):
        policy_notices.plan(version.pk, now=today)
        PolicyNotice.objects.filter(version_id=version.pk).update(
            given_up_at=today, given_up_because="of other tests"
        )
        policy_notices.send_batch(version.pk, now=today)
    with enter_public():
        assert publishing.announce(version, now=today + timedelta(hours=1))
        with pytest.raises(IntegrityError), transaction.atomic():
            PolicyRound.objects.create(version=version, schema_name="t_beta", finished_at=today)


def test_w3_what_is_published_is_one_line_of_numbers(db: None) -> None:
    with enter_public():
        numbers = list(PolicyVersion.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert re.search(r"[0-9a-f]{64}", page("/privacy/"))
