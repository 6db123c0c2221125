"""The pages for what went wrong. They need no tenant and no database."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its token: usually a page that was open too long."""
    return render(request, "403.html", {"csrf_failed": True}, status=403)
