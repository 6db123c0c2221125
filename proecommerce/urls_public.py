"""The public host: the site, sign-up, and the staff's log-in and admin."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from privacy import pages as privacy_pages
from proecommerce import losing, well_known
from proecommerce.website import notices, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("plans/", pages.plans, name="plans"),
    path("notices/", notices.notices_page, name="notices"),
    path("sign-up/", pages.sign_up_page, name="signup"),
    path("stripe/callback/", pages.stripe_callback, name="stripe_callback"),
    path("healthz", pages.health, name="health"),
    path(
        "admin/tenants/tenant/<uuid:tenant_id>/lost-device/",
        admin.site.admin_view(losing.lost_device_page),
        name="lost_device",
    ),
    path(".well-known/security.txt", well_known.security_txt, name="security_txt"),
    path("internal/certificate/", well_known.certificate, name="certificate"),
    path("privacy/request/<str:token>/", privacy_pages.confirm_page, name="confirm_request"),
    path("admin/", admin.site.urls),
    path("", include("accounts.portal.urls")),
]

handler400 = "proecommerce.errors.bad_request"
handler403 = "proecommerce.errors.forbidden"
handler404 = "proecommerce.errors.not_found"
handler500 = "proecommerce.errors.broken"
