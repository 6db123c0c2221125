"""What the pay host answers."""

from django.urls import path

from billing.pay import views

app_name = "pay"
urlpatterns = [path("frame/<str:token>/", views.frame, name="frame")]
