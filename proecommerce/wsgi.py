"""The WSGI entry, for granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
application = get_wsgi_application()

# Without its keys the product does not start; running processes survive their absence.
from vault.keyring import warm_up  # noqa: E402 - Django has to be set up first

warm_up()
