"""The wiring package as an app: templates, looks, and the staff's admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ProecommerceConfig(AppConfig):
    name = "proecommerce"


class StaffAdminConfig(AdminConfig):
    default_site = "proecommerce.staff.StaffSite"
