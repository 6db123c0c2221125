"""Behind a mailed link: one invoice without log-in (billing.pay_links makes the addresses)."""

from django.urls import path

from billing.portal import hosted

app_name = "hosted"
urlpatterns = [
    path("pay/<str:token>/", hosted.invoice_page, name="invoice"),
    path("pay/<str:token>/card/", hosted.pay_page, name="pay"),
    path("pay/<str:token>/status/", hosted.status_page, name="status"),
    path("pay/<str:token>/pdf/", hosted.pdf_page, name="pdf"),
]
