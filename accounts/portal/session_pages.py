"""Where one is logged in, and how to end that elsewhere."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import session_queries, sessions
from accounts.acting import actor_of
from accounts.confirming import confirmed_change
from accounts.models import Session, User
from accounts.pages import own_page
from accounts.portal.frame import show
from tenants import clock

# What the log-in page says of the session that is over.
WHY = {
    Session.Ended.IDLE: "You were logged out because nothing happened for a while.",
    Session.Ended.EXPIRED: "You were logged out because your session had lasted its longest.",
    Session.Ended.ENDED: "You were logged out: this session was ended from another one.",
    Session.Ended.CREDENTIALS: "You were logged out because your password or what you may do has changed.",
    Session.Ended.EMAIL_UNDONE: "You were logged out because a change of your e-mail address was undone.",
}


def why_over(request: HttpRequest) -> str:
    """Return what to tell of the session that this browser had, if it is over and nobody is logged in."""
    if request.user.is_authenticated:
        return ""
    return WHY.get(request.session.get(sessions.OVER, ""), "")


@require_safe
@own_page
def sessions_page(request: HttpRequest, user: User) -> HttpResponse:
    here = sessions.of(request)
    rows = session_queries.living_of(user, now=clock.now())
    shown = [session_queries.shown(row, here=here) for row in rows]
    shown.sort(key=lambda each: not each["here"])
    page = session_queries.log_ins_of(user, request.GET.get("page"))
    return show(request, "accounts/sessions.html", sessions=shown, others=len(shown) - 1, page=page)


@require_POST
@own_page
@confirmed_change
def end_page(request: HttpRequest, user: User, session_id: UUID) -> HttpResponse:
    """End one of the person's own sessions; the one that asks is a log-out."""
    row = Session.objects.filter(pk=session_id, user=user).first()
    if row is None:
        raise Http404
    here = sessions.of(request)
    if here is not None and row.pk == here.pk:
        sessions.finish(request, now=clock.now())
        return redirect("accounts:login")
    if sessions.end(row, actor=actor_of(request), now=clock.now()):
        messages.success(request, f"{row.device} is logged out.")
    else:
        messages.info(request, f"{row.device} was logged out already.")
    return redirect("accounts:sessions")


@require_POST
@own_page
@confirmed_change
def end_others_page(request: HttpRequest, user: User) -> HttpResponse:
    """End the others, and what was asked for in them: links that were mailed before are void."""
    ended = sessions.leave_only(
        user, keep=request.session.session_key, actor=actor_of(request), now=clock.now()
    )
    messages.success(request, "You are logged in here only." if ended else "There was no other session.")
    return redirect("accounts:sessions")
