"""From a request to the actor that rules and audit events name."""

from django.http import HttpRequest

from accounts.models import User
from audit.actors import Actor
from tenants.origins import origin_of

__all__ = ["actor_of", "origin_of"]


def actor_of(request: HttpRequest, user: User | None = None) -> Actor:
    """Return who acts in this request, with where from; `user` where nobody is logged in yet.

    Somebody of the platform who acts as the person stands behind the actor.
    """
    person = user or getattr(request, "user", None)
    ip, agent = origin_of(request)
    if isinstance(person, User):
        visit = person.visit or getattr(getattr(request, "user", None), "visit", None)
        behind = (str(visit.staff_id), visit.staff_label) if visit else ("", "")
        return Actor("user", str(person.pk), f"{person.name} <{person.email}>", ip, agent, *behind)
    return Actor("visitor", "", "visitor", ip, agent)
