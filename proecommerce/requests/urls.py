"""Where the desk's own pages are, inside the staff's admin."""

from collections.abc import Callable

from django.http import HttpResponse

from proecommerce.requests import pages

DESK: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("privacy/datarequest/write-down/", pages.write_down_page, "write_down_request"),
    ("privacy/underagereport/report/", pages.report_child_page, "report_child"),
    ("privacy/disclosure/record/", pages.disclosure_page, "record_disclosure"),
    ("privacy/holds/", pages.holds_page, "legal_holds"),
    ("privacy/holds/place/", pages.place_hold_page, "place_hold"),
    ("privacy/holds/<slug:schema>/<uuid:hold_id>/review/", pages.review_hold_page, "review_hold"),
    ("privacy/holds/<slug:schema>/<uuid:hold_id>/lift/", pages.lift_hold_page, "lift_hold"),
]
