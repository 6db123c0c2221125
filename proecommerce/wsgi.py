"""The WSGI entry, for granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
application = get_wsgi_application()
