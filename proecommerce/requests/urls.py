"""Where the desk's own pages are, inside the staff's admin."""

from collections.abc import Callable

from django.http import HttpResponse

from proecommerce.requests import erasing, pages

DESK: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("privacy/datarequest/write-down/", pages.write_down_page, "write_down_request"),
    (
        "privacy/datarequest/<uuid:request_id>/erase/<uuid:row_id>/",
        erasing.erase_asked_page,
        "erase_asked",
    ),
    ("privacy/contactmessage/<uuid:message_id>/erase/", erasing.erase_prospect_page, "erase_prospect"),
    ("privacy/underagereport/report/", pages.report_child_page, "report_child"),
    ("privacy/disclosure/record/", pages.disclosure_page, "record_disclosure"),
    ("privacy/holds/", pages.holds_page, "legal_holds"),
    ("privacy/holds/place/", pages.place_hold_page, "place_hold"),
    ("privacy/holds/<slug:schema>/<uuid:hold_id>/review/", pages.review_hold_page, "review_hold"),
    ("privacy/holds/<slug:schema>/<uuid:hold_id>/lift/", pages.lift_hold_page, "lift_hold"),
]
