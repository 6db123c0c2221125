"""Settings of the Stripe account; included in the namespace `manage`."""

from django.urls import path

from billing.manage import connecting

urlpatterns = [
    path("", connecting.stripe, name="stripe"),
    path("connect/", connecting.connect, name="stripe_connect"),
    path("callback/", connecting.callback, name="stripe_callback"),
    path("key/", connecting.key, name="stripe_key"),
    path("disconnect/", connecting.disconnect, name="stripe_disconnect"),
]
