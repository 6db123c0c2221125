"""The wiring package as an app: templates, looks, and the staff's admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ProecommerceConfig(AppConfig):
    name = "proecommerce"

    def ready(self) -> None:
        from proecommerce import celery  # noqa: F401 - what a request enqueues goes to our broker


class StaffAdminConfig(AdminConfig):
    default_site = "proecommerce.staff.StaffSite"
