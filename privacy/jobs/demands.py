"""Jobs of what people demand: copies of their data, and news to those who want them."""

from uuid import UUID

from audit.actors import Actor
from privacy import exporting, news
from privacy.letters import business, site
from privacy.models import ExportFile
from privacy.subjects import Subject, known
from tenants import clock
from tenants.jobs import job
from tenants.letters import Letter, hello, render
from tenants.mail import send


@job("privacy.make_export", outside=True)
def make_export(*, export_id: str) -> None:
    """Write a copy of data and put it where it is fetched from."""
    exporting.make(UUID(export_id), actor=Actor.system("copies of data"), now=clock.now())


@job("privacy.expire_export", outside=True)
def expire_export(*, export_id: str) -> None:
    """Delete a copy whose time is over."""
    exporting.expire(UUID(export_id), actor=Actor.system("copies of data"), now=clock.now())


@job("privacy.mail_export_ready", outside=True)
def mail_export_ready(*, export_id: str) -> None:
    """Tell who asked for a copy that it is ready; the copy itself is never mailed."""
    export = ExportFile.objects.filter(pk=UUID(export_id)).first()
    person = known(Subject("user", export.asked_by)) if export is not None and export.is_ready else None
    if export is None or person is None or not person.email:
        return
    whole = export.subject_kind == exporting.WORKSPACE
    letter = Letter(
        sender=business(),
        subject="Your copy of the data is ready",
        greeting=hello(person.name),
        paragraphs=(
            "The copy that you asked for is ready. It is not in this mail: log in and fetch it. You are "
            "asked once more who you are.",
        ),
        button="Fetch the copy",
        url=f"{site()}{'/manage/settings/copy/' if whole else '/account/privacy/copies/'}",
        after="It is deleted after seven days. If it was not you who asked, change your password at once.",
    )
    send(render(letter), to=person.email)


@job("privacy.spread_news")
def spread_news(*, news_id: str, after: str) -> None:
    """Ask for the mails of one batch of people who agreed to get news."""
    news.spread(UUID(news_id), after=after)


@job("privacy.mail_news", outside=True)
def mail_news(*, news_id: str, subject_id: str) -> None:
    """Mail news to one person, if they agree at this moment."""
    news.mail(UUID(news_id), subject_id)
