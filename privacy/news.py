"""News and offers of a business: written once, mailed one by one to those who agreed."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import consenting
from privacy.errors import Refused
from privacy.marketing import NO_SERVER, Offer, has_server, send_marketing
from privacy.models import News
from privacy.subjects import Subject
from tenants.jobs import Asked, enqueue, enqueue_many

KIND: Final = "user"
BATCH: Final = 500


def publish(offer: Offer, *, asked_by: str, actor: Actor, now: datetime) -> News:
    """Have it mailed to everyone who has agreed.

    Raises `Refused` without words, when nobody has, or while there is no mail server for news.
    """
    if not has_server():
        raise Refused(NO_SERVER)
    title, text = " ".join(offer.title.split())[:150], offer.text.strip()
    if not title or not text:
        raise Refused("News need a subject and a text.")
    if not reach():
        raise Refused("Nobody has asked for news yet: there is nobody to mail.")
    with transaction.atomic():
        news = News.objects.create(title=title, text=text, asked_by=asked_by, asked_at=now)
        record(Action.NEWS_PUBLISHED, subject=("news", news.pk), actor=actor, now=now, title=title)
        enqueue("privacy.spread_news", key=f"news:{news.pk}:", news_id=str(news.pk), after="")
    return news


def reach() -> int:
    """How many have agreed."""
    return consenting.willing(KIND).count()


def spread(news_id: UUID, *, after: str) -> int:
    """Ask for the mails of one batch, and for the next batch; returns how many. Needs an open transaction."""
    willing = consenting.willing(KIND).filter(subject_id__gt=after).values_list("subject_id", flat=True)
    batch = list(willing[:BATCH])
    enqueue_many(
        [
            Asked(
                "privacy.mail_news",
                {"news_id": str(news_id), "subject_id": each},
                key=f"news:{news_id}:{each}:mail",
            )
            for each in batch
        ]
    )
    if len(batch) == BATCH:
        last = batch[-1]
        enqueue("privacy.spread_news", key=f"news:{news_id}:{last}", news_id=str(news_id), after=last)
    return len(batch)


def mail(news_id: UUID, subject_id: str) -> bool:
    """Mail it to one of them, if they still agree; returns whether it was mailed."""
    news = News.objects.get(pk=news_id)
    return send_marketing(Offer(news.title, news.text), Subject(KIND, subject_id))
