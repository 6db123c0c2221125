"""The pay host: the frame in which cards are entered, and nothing else."""

from django.urls import URLPattern, URLResolver, include, path

from proecommerce import well_known

urlpatterns: list[URLPattern | URLResolver] = [
    path(".well-known/security.txt", well_known.security_txt, name="security_txt"),
    path("", include("billing.pay.urls")),
]

handler400 = "proecommerce.errors.bad_request"
handler403 = "proecommerce.errors.forbidden"
handler404 = "proecommerce.errors.not_found"
handler500 = "proecommerce.errors.broken"
