"""The typesetter: the only importer of typst. Data goes in as JSON, never as source; nothing is fetched."""

import json
import logging
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from threading import Lock

import typst

from billing.documents import InvoiceDocument
from billing.pdf.fonts import fonts
from billing.pdf.view import Data, page_data

logger = logging.getLogger(__name__)

_TEMPLATE = Path(__file__).with_name("invoice.typ")
# Archivable with structure, and accessible.
_STANDARDS: "list[typst.PDFStandard]" = ["a-3a", "ua-1"]
_lock = Lock()


@cache
def _compiler() -> typst.Compiler:
    # A package path that does not exist: no `@preview` import could ever resolve, online or not.
    nowhere = _TEMPLATE.with_name("no-packages")
    return typst.Compiler(
        _TEMPLATE,
        root=_TEMPLATE.parent,
        font_paths=fonts(),
        ignore_system_fonts=True,
        package_path=nowhere,
        package_cache_path=nowhere,
    )


def _compile(data: Data, moment: datetime, standards: "list[typst.PDFStandard]") -> bytes:
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    with _lock:
        pdf = _compiler().compile(format="pdf", sys_inputs=inputs, pdf_standards=standards, timestamp=moment)
    if not isinstance(pdf, bytes):
        raise TypeError("the typesetter gave no document")
    return pdf


def render(document: InvoiceDocument) -> bytes:
    """The document as PDF. The same document gives the same bytes.

    A name in a script that no face here has, or a broken logo, must not hold up an invoice. The standards
    forbid both, so it then goes out without the logo, at last without the claim to the standards.
    """
    data = page_data(document)
    moment = datetime.combine(document.issue_date, time(), UTC)
    try:
        return _compile(data, moment, _STANDARDS)
    except typst.TypstError as error:
        logger.warning("Invoice %s does not meet the PDF standards: %s", document.number, error.message)
    try:
        return _compile(data | {"logo": ""}, moment, _STANDARDS)
    except typst.TypstError:
        return _compile(data | {"logo": ""}, moment, [])
