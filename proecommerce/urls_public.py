"""The public host: the site, sign-up, and the staff's admin."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from proecommerce.website import pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("plans/", pages.plans, name="plans"),
    path("sign-up/", pages.sign_up_page, name="signup"),
    path("stripe/callback/", pages.stripe_callback, name="stripe_callback"),
    path("healthz", pages.health, name="health"),
    path("", include("accounts.portal.urls")),
    path("admin/", admin.site.urls),
]
