"""Where everyone logs in, on a tenant's host."""

from django.urls import path

from accounts.portal import confirming, email_pages, pages, session_pages

app_name = "accounts"
urlpatterns = [
    path("log-in/", pages.log_in_page, name="login"),
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
    path("email/confirm/<str:token>/", email_pages.confirm_page, name="email_confirm"),
    path("email/undo/<str:token>/", email_pages.undo_page, name="email_undo"),
]
