"""Contacts of one customer; included in the namespace `manage`."""

from django.urls import path

from billing.manage import contacts

urlpatterns = [
    path("invite/", contacts.invite, name="customer_invite"),
    path("contacts/<uuid:contact_id>/", contacts.change, name="contact"),
    path("contacts/<uuid:contact_id>/remove/", contacts.remove, name="contact_remove"),
    path("invitations/<uuid:invitation_id>/resend/", contacts.resend, name="invitation_resend"),
    path("invitations/<uuid:invitation_id>/withdraw/", contacts.withdraw, name="invitation_withdraw"),
]
