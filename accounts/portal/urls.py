"""Where everyone logs in, on a tenant's host and on the public one, and looks after their own log-in."""

from django.urls import path

from accounts.portal import (
    closing_pages,
    confirming,
    email_pages,
    entering,
    erasure_pages,
    pages,
    security,
    session_pages,
    visits,
)

app_name = "accounts"
urlpatterns = [
    path("log-in/", pages.log_in_page, name="login"),
    path("log-in/second/", entering.second_factor_page, name="second_factor"),
    path("log-in/backup-code/", entering.backup_code_page, name="backup_code"),
    path("log-in/passkey/ask/", entering.ask_passkey, name="passkey_ask"),
    path("log-in/passkey/", entering.passkey_page, name="passkey"),
    path("log-out/", pages.log_out_page, name="logout"),
    path("forgotten/", pages.ask_reset_page, name="ask_reset"),
    path("reset/<str:reference>/<str:token>/", pages.reset_page, name="reset"),
    path("invitation/<str:token>/", pages.invitation_page, name="invitation"),
    path("account/confirm/", confirming.confirm_page, name="confirm"),
    path("account/sessions/", session_pages.sessions_page, name="sessions"),
    path("account/sessions/end-others/", session_pages.end_others_page, name="sessions_end_others"),
    path("account/sessions/<uuid:session_id>/end/", session_pages.end_page, name="session_end"),
    path("account/email/", email_pages.email_page, name="email"),
    path("account/email/withdraw/", email_pages.withdraw_page, name="email_withdraw"),
    path("account/closing/", closing_pages.closing_page, name="closing"),
    path("account/privacy/erasure/", erasure_pages.erasure_page, name="erasure"),
    path("reopen/<str:token>/", closing_pages.reopen_page, name="reopen"),
    path("email/confirm/<str:token>/", email_pages.confirm_page, name="email_confirm"),
    path("email/undo/<str:token>/", email_pages.undo_page, name="email_undo"),
    path("keep-factors/<str:token>/", entering.keep_factors_page, name="keep_factors"),
    path("account/security/", security.security_page, name="security"),
    path("account/security/password/", security.password_page, name="change_password"),
    path("account/security/app/", security.app_page, name="app"),
    path("account/security/app/begin/", security.begin_app, name="app_begin"),
    path("account/security/app/remove/", security.remove_app_page, name="app_remove"),
    path("account/security/codes/", security.codes_page, name="codes"),
    path("account/security/passkeys/", security.add_passkey_page, name="passkey_add"),
    path("account/security/passkeys/ask/", security.ask_new_passkey, name="passkey_new_ask"),
    path("account/security/passkeys/<uuid:passkey_id>/", security.remove_passkey_page, name="passkey_remove"),
    path("account/security/keep/", security.keep_my_factors, name="keep_my_factors"),
    path("visit/leave/", visits.leave_page, name="visit_leave"),
    path("visit/<str:token>/", visits.visit_page, name="visit"),
]
