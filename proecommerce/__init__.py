"""Wiring: settings, URLs, Celery, the public site; the only package that sees all apps."""
