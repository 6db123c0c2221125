"""Who works here; included in the namespace `manage`."""

from django.urls import path

from billing.manage import staff

urlpatterns = [
    path("", staff.index, name="staff"),
    path("invite/", staff.invite_staff, name="staff_invite"),
    path("hand-over/", staff.hand_over, name="staff_hand_over"),
    path("<uuid:person_id>/role/", staff.role, name="staff_role"),
    path("<uuid:person_id>/deactivate/", staff.deactivate, name="staff_deactivate"),
    path("<uuid:person_id>/reactivate/", staff.reactivate, name="staff_reactivate"),
    path("invitations/<uuid:invitation_id>/resend/", staff.resend, name="staff_resend"),
    path("invitations/<uuid:invitation_id>/withdraw/", staff.withdraw, name="staff_withdraw"),
]
