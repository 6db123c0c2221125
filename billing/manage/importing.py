"""Importing CSV files: sent, looked at, then confirmed."""

from io import BytesIO
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.acting import actor_of
from accounts.confirming import confirmed_change, confirmed_page
from accounts.pages import page_for
from accounts.permissions import may_import
from billing.errors import Refused
from billing.importing import customers as customer_files
from billing.importing import subscriptions as subscription_files
from billing.importing.files import Imported, import_files
from billing.importing.files import preview as preview_files
from billing.manage import uploads
from billing.manage.answers import acting, page, sent, sent_files, show
from billing.manage.forms.importing import ImportForm
from billing.manage.uploads import Upload

SHOWN = 200


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_import)
@confirmed_page
def upload(request: HttpRequest) -> HttpResponse:
    form = ImportForm(sent(request), sent_files(request))
    if form.is_valid():
        files = [form.cleaned_data[name] for name in ("customers", "subscriptions")]
        read = [file.read() if file else b"" for file in files]
        names = [file.name if file else "" for file in files]
        ticket = uploads.keep(Upload(read[0], read[1], (names[0], names[1])), actor_of(request).id)
        return redirect("manage:import_preview", ticket)
    columns = {"customers": customer_files.COLUMNS, "subscriptions": subscription_files.COLUMNS}
    return show(request, "manage/imports/upload.html", form, columns=columns)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_import)
@confirmed_change
def preview(request: HttpRequest, ticket: str) -> HttpResponse:
    """Show what the files would do; on confirmation do it, all of a file or nothing."""
    kept = uploads.find(ticket, actor_of(request).id)
    if kept is None:
        messages.warning(request, "Those files are no longer here. Choose them again.")
        return redirect("manage:import")
    try:
        found = _take(request, kept)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("manage:import_preview", ticket)
    if request.method == "POST" and found.is_fine:
        uploads.forget(ticket, actor_of(request).id)
        messages.success(request, f"Done: {_summary(found)}.")
        return redirect("manage:customers" if found.customers else "manage:subscriptions")
    status = 422 if request.method == "POST" else 200
    return page(request, "manage/imports/preview.html", status=status, found=found, **_told(found, kept))


def _told(found: Imported, kept: Upload) -> dict[str, Any]:
    """What the page says of each file."""
    outcomes = (
        ("Customers", kept.names[0], found.customers),
        ("Subscriptions", kept.names[1], found.subscriptions),
    )
    files = [
        {
            "title": title,
            "name": name,
            "outcome": outcome,
            "problems": outcome.problems[:SHOWN],
            "warnings": outcome.warnings[:SHOWN],
            "columns": list(outcome.sample[0]) if outcome.sample else [],
            "sample": [list(row.values()) for row in outcome.sample],
        }
        for title, name, outcome in outcomes
        if outcome is not None
    ]
    changes = any(each.created or each.changed for _, _, each in outcomes if each is not None)
    return {"files": files, "shown": SHOWN, "nothing": not changes}


def _take(request: HttpRequest, kept: Upload) -> Imported:
    """Import the files, or say what that would do. They are not refused for being empty, but told so."""
    first = BytesIO(kept.customers) if kept.names[0] else None
    second = BytesIO(kept.subscriptions) if kept.names[1] else None
    how = import_files if request.method == "POST" else preview_files
    return how(first, second, **acting(request))


def _summary(found: Imported) -> str:
    rows = (("customers", found.customers), ("subscriptions", found.subscriptions))
    return "; ".join(
        f"{outcome.created:,} {noun} added, {outcome.changed:,} changed" for noun, outcome in rows if outcome
    )
