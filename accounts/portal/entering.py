"""Pages between the password and the second factor, and log-in by passkey."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import halfway, passkeys, proving, recovering, sessions
from accounts.acting import actor_of
from accounts.factors import factors_of, passkeys_of
from accounts.forms import AppCodeForm, BackupCodeForm, PasskeyAnswerForm
from accounts.halfway import HalfWay
from accounts.passkey_gateway import PasskeyRefused
from accounts.portal.addresses import asked_for, home_of
from accounts.portal.onward import site_of
from tenants import clock, limits
from tenants.throttling import SECOND_FACTOR, Spent

CHALLENGE = "passkey_challenge"
AGAIN = "That took too long. Log in again."
NO_PASSKEY = "This passkey does not log in here. Try again, or log in another way."


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Ask for a code of the app, or the passkey."""
    now = clock.now()
    half = halfway.person_of(request, now=now)
    if half is None:
        return _again(request)
    form = AppCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        tried = _try(request, half)
        if proving.spend_app_code(half.user, form.cleaned_data["code"], at=clock.wall()):
            tried.give_back()
            return _in(request, half, "totp")
        halfway.refuse(request, half.user, "totp", now=now)
        form.add_error(
            "code",
            "That code does not fit, or was used already. Wait for the next one; "
            "if none fits, set the clock of your device.",
        )
    site, own = site_of(request), passkeys_of(half.user)
    context = {
        "form": form,
        "app": factors_of(half.user).app,
        "here": any(each.host == site.host for each in own),
        "elsewhere": {each.host: site.at(each.host) for each in own if each.host != site.host},
        "person": half.user,
    }
    return render(request, "accounts/second_factor.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def backup_code_page(request: HttpRequest) -> HttpResponse:
    """Ask for a backup code, by those whose device is gone."""
    now = clock.now()
    half = halfway.person_of(request, now=now)
    if half is None:
        return _again(request)
    form = BackupCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        tried, actor = _try(request, half), actor_of(request, half.user)
        if proving.spend_backup_code(half.user, form.cleaned_data["code"], actor=actor, now=now):
            tried.give_back()
            left = factors_of(half.user).codes_left
            messages.info(request, f"Backup code used; {left} left. Is your device gone? Replace it below.")
            halfway.lead_to(request, "/account/security/")
            return _in(request, halfway.person_of(request, now=now) or half, "backup_code")
        halfway.refuse(request, half.user, "backup_code", now=now)
        form.add_error("code", "That is none of your unused backup codes.")
    context = {"form": form, "person": half.user}
    return render(request, "accounts/backup_code.html", context, status=422 if form.errors else 200)


@require_POST
def ask_passkey(request: HttpRequest) -> HttpResponse:
    """Tell the browser's script what a passkey is to sign."""
    now = clock.now()
    half = halfway.person_of(request, now=now)
    challenge = passkeys.new_challenge(now=now)
    request.session[CHALLENGE] = str(challenge.pk)
    return JsonResponse(passkeys.ask_to_use(half.user if half else None, site_of(request), challenge))


@require_POST
def passkey_page(request: HttpRequest) -> HttpResponse:
    """Log in by what the passkey has signed: as the second factor, or as the whole log-in."""
    now = clock.now()
    half = halfway.person_of(request, now=now)
    form, tried = PasskeyAnswerForm(request.POST), _try(request, half)
    try:
        challenge = passkeys.take_challenge(request.session.pop(CHALLENGE, ""), now=now)
        answer = form.cleaned_data["answer"] if form.is_valid() else {}
        user = passkeys.use_passkey(
            answer, site_of(request), challenge=challenge, now=now, user=half.user if half else None
        )
    except PasskeyRefused as refused:
        halfway.refuse(request, half.user if half else None, "passkey", now=now, why=str(refused))
        messages.error(request, NO_PASSKEY)
        return redirect("accounts:second_factor" if half else "accounts:login")
    tried.give_back()
    if half is not None:
        return _in(request, half, "passkey")
    sessions.begin(request, user, methods={"passkey"}, now=now)
    return HttpResponseRedirect(asked_for(request) or home_of(user))


@require_http_methods(["GET", "HEAD", "POST"])
def keep_factors_page(request: HttpRequest, token: str) -> HttpResponse:
    """Let the person to whom it was mailed stop a reset of their second factors."""
    reset = recovering.reset_of_token(token)
    if reset is None:
        return render(request, "accounts/link_void.html", {"reason": "This link is not whole."}, status=410)
    stopped = reset.cancelled_at is not None
    if request.method == "POST":
        stopped = recovering.cancel_reset(reset, actor=actor_of(request), now=clock.now())
        reset.refresh_from_db()
    status = 410 if reset.done_at is not None else 200
    return render(request, "accounts/keep_factors.html", {"reset": reset, "stopped": stopped}, status=status)


def _try(request: HttpRequest, half: HalfWay | None) -> Spent:
    """Count an attempt at a second factor, of this person and of this network."""
    return limits.spend(request, SECOND_FACTOR, account=half.user.email if half else "")


def _in(request: HttpRequest, half: HalfWay, method: str) -> HttpResponse:
    halfway.complete(request, half, method, now=clock.now())
    return HttpResponseRedirect(half.next or home_of(half.user))


def _again(request: HttpRequest) -> HttpResponse:
    messages.info(request, AGAIN)
    return redirect("accounts:login")
