"""What a process of the web server and a worker do once, before their first request or job."""

import gc

from django.conf import settings
from django.urls import get_resolver

from vault.keyring import warm_up


def start() -> None:
    """Read the keys, load all pages, and have the garbage collector look at none of it again.

    Modules and classes live as long as the process. Left to the collector, each of its full rounds
    walks all of them, a tenth of a second in which a thread answers nobody. Raises `VaultError` without keys.
    """
    warm_up()
    for urls in (settings.ROOT_URLCONF, settings.PUBLIC_URLCONF, settings.PAY_URLCONF):
        _ = get_resolver(urls).url_patterns
    gc.collect()
    gc.freeze()
