"""Where everyone logs in, on a tenant's host."""

from django.urls import path

from accounts.portal import confirming, pages, visits

app_name = "accounts"
urlpatterns = [
    path("log-in/", pages.log_in_page, name="login"),
    path("log-out/", pages.log_out_page, name="logout"),
    path("forgotten/", pages.ask_reset_page, name="ask_reset"),
    path("reset/<str:reference>/<str:token>/", pages.reset_page, name="reset"),
    path("invitation/<str:token>/", pages.invitation_page, name="invitation"),
    path("account/confirm/", confirming.confirm_page, name="confirm"),
    path("visit/leave/", visits.leave_page, name="visit_leave"),
    path("visit/<str:token>/", visits.visit_page, name="visit"),
]
