"""The client portal, at the root of a tenant's host."""

from django.urls import path

from billing.portal import card_pages, own_pages, pages, team_pages
from billing.portal.paying_urls import urlpatterns as paying

app_name = "portal"
urlpatterns = [
    path("", pages.home_page, name="home"),
    path("invoices/", pages.invoices_page, name="invoices"),
    path("invoices/<uuid:invoice_id>/", pages.invoice_page, name="invoice"),
    path("invoices/<uuid:invoice_id>/pdf/", pages.invoice_pdf_page, name="invoice_pdf"),
    *paying,
    path("cards/", card_pages.cards_page, name="cards"),
    path("cards/<uuid:card_id>/default/", card_pages.card_default_page, name="card_default"),
    path("cards/<uuid:card_id>/remove/", card_pages.card_remove_page, name="card_remove"),
    path("autopay/", card_pages.autopay_page, name="autopay"),
    path("details/", own_pages.details_page, name="details"),
    path("team/", team_pages.team_page, name="team"),
    path("team/invite/", team_pages.invite_page, name="team_invite"),
    path("team/<uuid:contact_id>/", team_pages.contact_page, name="team_contact"),
    path("team/<uuid:contact_id>/remove/", team_pages.remove_page, name="team_remove"),
    path("team/invitations/<uuid:invitation_id>/resend/", team_pages.resend_page, name="team_resend"),
    path("team/invitations/<uuid:invitation_id>/withdraw/", team_pages.withdraw_page, name="team_withdraw"),
    path("switch/", own_pages.switch_page, name="switch"),
]
