"""The WSGI entry, for granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
application = get_wsgi_application()

# Without its keys the product does not start; running processes survive their absence.
from operations.writing import WRITER  # noqa: E402 - Django has to be set up first
from proecommerce.starting import start  # noqa: E402

start()

# Requests are logged where a server answers them: tests and commands have none to log.
WRITER.open()
