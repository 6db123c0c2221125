"""The public host: the site, sign-up, and the staff's log-in and admin."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from privacy import pages as privacy_pages
from proecommerce import losing, well_known
from proecommerce.website import contact_pages, notices, pages, policy_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.home, name="home"),
    path("plans/", pages.plans, name="plans"),
    path("notices/", notices.notices_page, name="notices"),
    path("sign-up/", pages.sign_up_page, name="signup"),
    path("contact/", contact_pages.contact_page, name="contact"),
    path("contact/sent/", contact_pages.contact_sent_page, name="contact_sent"),
    path("terms/", pages.terms, name="terms"),
    path("status/", pages.status_page, name="status"),
    path("privacy/", policy_pages.policy_page, name="privacy"),
    path("privacy/versions/", policy_pages.versions_page, name="privacy_versions"),
    path("privacy/versions/<int:number>/", policy_pages.version_page, name="privacy_version"),
    path("privacy/on/<str:day>/", policy_pages.policy_on_page, name="privacy_on"),
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
