"""Where everyone logs in, on a tenant's host and on the public one, and looks after their own log-in."""

from django.urls import path

from accounts.portal import entering, pages, security

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
]
