"""Tenant hosts: log-in, the client portal, and what the tenant's staff work with."""

from django.urls import URLPattern, URLResolver, include, path

from billing.webhooks import stripe_webhook
from privacy.pages import unsubscribe_page
from proecommerce import branding, well_known

urlpatterns: list[URLPattern | URLResolver] = [
    path(".well-known/security.txt", well_known.security_txt, name="security_txt"),
    path("brand.css", branding.brand_css, name="brand_css"),
    path("brand/logo/", branding.brand_logo, name="brand_logo"),
    path("manage/", include("billing.manage.urls")),
    path("", include("accounts.portal.urls")),
    path("unsubscribe/<str:token>/", unsubscribe_page, name="unsubscribe"),
    path("webhooks/stripe/", stripe_webhook, name="stripe_webhook"),
    path("", include("billing.portal.hosted_urls")),
    path("", include("billing.portal.urls")),
]

handler400 = "proecommerce.errors.bad_request"
handler403 = "proecommerce.errors.forbidden"
handler404 = "proecommerce.errors.not_found"
handler500 = "proecommerce.errors.broken"
