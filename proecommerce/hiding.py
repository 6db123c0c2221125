"""What must not be read by whoever reads logs and error reports: links that let one in, and secrets."""

import logging
import re
from types import FrameType
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

from operations.masking import HIDDEN, hide_parts

_PARAMETER = re.compile(r"(?<=[?&])(state|code|token|key|secret)=[^&\s'\"]+", re.IGNORECASE)


def hide_links(text: str) -> str:
    """Return the text with what lets somebody in cut out of the addresses in it."""
    if "/static/" in text:
        return text
    text = hide_parts(text)
    return _PARAMETER.sub(rf"\1={HIDDEN}", text)


class HideLinks(logging.Filter):
    """Lets every record pass, with `hide_links` applied to its message."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = hide_links(message)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True


class ReportFilter(SafeExceptionReporterFilter):
    """Error reports without what was sent and without the values of variables, but on a developer's machine.

    Settings whose values hold passwords inside an address are hidden too.
    """

    hidden_settings = re.compile(
        "API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|HTTP_COOKIE|URL|LOCATION|DATABASE", re.IGNORECASE
    )

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        if request is None:
            return {}
        return dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: Any, tb_frame: FrameType) -> Any:
        if settings.DEBUG:
            return super().get_traceback_frame_variables(request, tb_frame)
        return [(name, self.cleansed_substitute) for name in tb_frame.f_locals]
