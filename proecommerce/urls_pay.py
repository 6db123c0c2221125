"""The pay host: the frame in which cards are entered, and nothing else."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [path("", include("billing.pay.urls"))]
