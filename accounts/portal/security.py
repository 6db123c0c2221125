"""The page about one's own password and second factors, and the changes that begin there."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import enrolling, factors, halfway, one_time, passkeys, passwords, recovering, sessions
from accounts.acting import actor_of
from accounts.confirming import confirmed_change, confirmed_page, is_confirmed
from accounts.enrolling import FactorKept, WrongPassword
from accounts.forms import AppCodeForm, ChangePasswordForm, PasskeyAnswerForm, PasswordAgainForm
from accounts.models import Passkey, User
from accounts.pages import own_page
from accounts.passkey_gateway import PasskeyRefused
from accounts.portal.entering import CHALLENGE
from accounts.portal.frame import show
from accounts.portal.onward import house_name, site_of
from tenants import clock, limits
from tenants.throttling import PASSWORD, SECOND_FACTOR


@require_safe
@own_page
def security_page(request: HttpRequest, user: User) -> HttpResponse:
    """What the person has, what is demanded, and the ways to change it."""
    return show(
        request,
        "accounts/security.html",
        factors=factors.factors_of(user),
        app=factors.confirmed_app(user),
        passkeys=factors.passkeys_of(user),
        host=site_of(request).host,
        demanded=factors.is_demanded_of(user),
        house=house_name(),
        reset=recovering.open_reset_of(user),
        confirmed=is_confirmed(request, clock.now()),
    )


@sensitive_post_parameters("old", "password")
@require_http_methods(["GET", "HEAD", "POST"])
@own_page
def password_page(request: HttpRequest, user: User) -> HttpResponse:
    """Change the password; this session goes on, the others end."""
    form, now = ChangePasswordForm(request.POST or None, user=user), clock.now()
    if request.method == "POST" and form.is_valid():
        tried = limits.spend(request, PASSWORD, account=user.email)
        if user.check_password(form.cleaned_data["old"]):
            tried.give_back()
            keep, password = request.session.session_key, form.cleaned_data["password"]
            passwords.set_password(user, password, actor=actor_of(request), now=now, keep=keep)
            sessions.rotate(request, user)
            messages.success(request, "Your new password is set. You are logged out everywhere else.")
            return redirect("accounts:security")
        halfway.refuse(request, user, "password", now=now)
        form.add_error("old", "That is not your present password.")
    return show(request, "accounts/change_password.html", form=form, status=422 if form.errors else 200)


@require_POST
@own_page
@confirmed_change
def begin_app(request: HttpRequest, user: User) -> HttpResponse:
    enrolling.begin_app(user, actor=actor_of(request), now=clock.now())
    return redirect("accounts:app")


@require_http_methods(["GET", "HEAD", "POST"])
@own_page
@confirmed_page
def app_page(request: HttpRequest, user: User) -> HttpResponse:
    """Show the secret of the app that is being set up, and take its first code."""
    begun, now = factors.begun_app(user), clock.now()
    if begun is None or enrolling.is_stale(begun, now=now):
        return redirect("accounts:security")
    form, secret = AppCodeForm(request.POST or None), begun.secret.reveal()
    if request.method == "POST" and form.is_valid():
        code, actor = form.cleaned_data["code"], actor_of(request)
        tried = limits.spend(request, SECOND_FACTOR, account=user.email)
        if enrolling.confirm_app(user, code, at=clock.wall(), actor=actor, now=now):
            tried.give_back()
            halfway.strengthen(request, "totp")
            _end_others(request, user)
            messages.success(request, "Your authenticator app is set up.")
            return _codes(request, user) if not factors.codes_left(user) else redirect("accounts:security")
        form.add_error("code", "That code does not fit. Wait for the next one; check your device's clock.")
    address = one_time.address(secret, person=user.email, issuer=house_name())
    context = {"form": form, "drawing": one_time.drawing(address), "secret": one_time.in_groups(secret)}
    return show(request, "accounts/app.html", status=422 if form.errors else 200, **context)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@own_page
def remove_app_page(request: HttpRequest, user: User) -> HttpResponse:
    form = PasswordAgainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        remove = partial(enrolling.remove_app, user, **form.cleaned_data)
        if _removed(request, user, form, remove):
            _end_others(request, user)
            messages.success(request, "Your authenticator app is removed. You are logged out elsewhere.")
            return redirect("accounts:security")
    status = 422 if form.errors else 200
    return show(request, "accounts/remove_factor.html", form=form, what="authenticator app", status=status)


@require_POST
@own_page
@confirmed_change
def codes_page(request: HttpRequest, user: User) -> HttpResponse:
    """Make new backup codes and show them, this once."""
    return _codes(request, user)


@require_POST
@own_page
@confirmed_change
def ask_new_passkey(request: HttpRequest, user: User) -> HttpResponse:
    """Tell the browser's script what passkey to make."""
    challenge = passkeys.new_challenge(now=clock.now())
    request.session[CHALLENGE] = str(challenge.pk)
    return JsonResponse(passkeys.ask_to_make(user, site_of(request), challenge))


@require_POST
@own_page
@confirmed_change
def add_passkey_page(request: HttpRequest, user: User) -> HttpResponse:
    """Keep the passkey that the browser's script has made."""
    form, now, actor = PasskeyAnswerForm(request.POST), clock.now(), actor_of(request)
    try:
        challenge = passkeys.take_challenge(request.session.pop(CHALLENGE, ""), now=now)
        answer = form.cleaned_data["answer"] if form.is_valid() else {}
        name = form.cleaned_data.get("name") or "Passkey"
        site = site_of(request)
        passkeys.add_passkey(user, answer, site, challenge=challenge, name=name, actor=actor, now=now)
    except PasskeyRefused as refused:
        halfway.refuse(request, user, "new passkey", now=now, why=str(refused))
        messages.error(request, "This passkey could not be added. Try again.")
        return redirect("accounts:security")
    halfway.strengthen(request, "passkey")
    _end_others(request, user)
    messages.success(request, "Your passkey is added: it logs you in by itself.")
    return _codes(request, user) if not factors.codes_left(user) else redirect("accounts:security")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@own_page
def remove_passkey_page(request: HttpRequest, user: User, passkey_id: UUID) -> HttpResponse:
    passkey = get_object_or_404(Passkey, pk=passkey_id, user=user)
    form = PasswordAgainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        remove = partial(enrolling.remove_passkey, passkey, **form.cleaned_data)
        if _removed(request, user, form, remove):
            _end_others(request, user)
            messages.success(request, f"The passkey {passkey.name} is removed. You are logged out elsewhere.")
            return redirect("accounts:security")
    what, status = f"passkey {passkey.name}", 422 if form.errors else 200
    return show(request, "accounts/remove_factor.html", form=form, what=what, status=status)


@require_POST
@own_page
def keep_my_factors(request: HttpRequest, user: User) -> HttpResponse:
    """Stop a reset that the platform was asked for: the person is here, with the device."""
    reset = recovering.open_reset_of(user)
    if reset is not None and recovering.cancel_reset(reset, actor=actor_of(request), now=clock.now()):
        messages.success(request, "Stopped: your second factors stay as they are.")
    return redirect("accounts:security")


def _removed(request: HttpRequest, user: User, form: Form, remove: Callable[..., None]) -> bool:
    """Take a factor away by the password given; whoever guesses at that has to wait, as at the log-in."""
    tried, now = limits.spend(request, PASSWORD, account=user.email), clock.now()
    try:
        remove(actor=actor_of(request), now=now)
    except WrongPassword as wrong:
        halfway.refuse(request, user, "password", now=now)
        form.add_error(None, str(wrong))
        return False
    except FactorKept as kept:
        form.add_error(None, str(kept))
    tried.give_back()
    return not form.errors


def _end_others(request: HttpRequest, user: User) -> None:
    """Sessions from before a factor came or went end: their next log-in shows what is asked for now."""
    keep = request.session.session_key
    sessions.end_others(user, keep=keep, actor=actor_of(request), now=clock.now())


def _codes(request: HttpRequest, user: User) -> HttpResponse:
    try:
        made = enrolling.make_codes(user, actor=actor_of(request), now=clock.now())
    except FactorKept as kept:
        messages.error(request, str(kept))
        return redirect("accounts:security")
    codes = [one_time.in_groups(code, 5, "-") for code in made]
    return show(request, "accounts/codes.html", codes=codes, house=house_name(), made_at=clock.now())
