"""Paying and saving cards: part of the portal's namespace."""

from django.urls import path

from billing.portal import paying

urlpatterns = [
    path("invoices/<uuid:invoice_id>/pay/", paying.pay_page, name="pay"),
    path("invoices/<uuid:invoice_id>/pay/status/", paying.pay_status_page, name="pay_status"),
    path("cards/add/", paying.add_card_page, name="add_card"),
    path("cards/add/<slug:known>/status/", paying.card_status_page, name="add_card_status"),
]
