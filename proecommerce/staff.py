"""The admin site of the platform's staff, on the public host only."""

from django.contrib.admin import AdminSite


class StaffSite(AdminSite):
    site_header = "ProEcommerce staff"
    site_title = "ProEcommerce"
    index_title = "Platform"
