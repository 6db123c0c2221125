"""How log lines look: one event is one line, and what follows of it can never pass for another."""

import logging
import re

# Control characters, and the other line ends that some readers know.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")


class OneLine(logging.Formatter):
    """Escapes control characters; further lines, such as tracebacks, are marked by a bar."""

    def format(self, record: logging.LogRecord) -> str:
        text = _UNPRINTABLE.sub(lambda found: ascii(found.group())[1:-1], super().format(record))
        return text.replace("\n", "\n  | ")
