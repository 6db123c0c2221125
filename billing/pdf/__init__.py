"""Invoices as PDF: tagged, archivable (PDF/A-3a, PDF/UA-1), the same bytes for the same document."""

from billing.pdf.engine import render

__all__ = ["render"]
