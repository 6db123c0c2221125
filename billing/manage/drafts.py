"""A draft as its page writes it: the head and the rows of lines, with more rows when they are asked for."""

from datetime import date, timedelta
from typing import Any

from django.http import QueryDict

from billing.manage.answers import today
from billing.manage.forms.invoices import MORE_ROWS, ROWS, DraftForm, lines_of, rows_of, typed_rows
from billing.models import BillingSettings, Invoice


class Draft:
    """The form and the rows of a draft, sent or to be filled in."""

    def __init__(
        self, data: QueryDict | None, *, currency: str, due_on: date, invoice: Invoice | None = None
    ) -> None:
        self.wants_rows = data is not None and "more_rows" in data
        self.sent = data is not None and not self.wants_rows
        typed = {name: data.get(name, "") for name in ("due_on", "note")} if data is not None else {}
        usual = {"due_on": due_on, "note": invoice.note if invoice else ""}
        self.form = DraftForm(data if self.sent else None, initial=usual | typed)
        rows = (
            typed_rows(data) if data is not None and self.wants_rows else rows_of(invoice) if invoice else []
        )
        extra = MORE_ROWS if self.wants_rows or invoice else ROWS
        self.rows = lines_of(data if self.sent else None, currency=currency, initial=rows, extra=extra)

    def is_valid(self) -> bool:
        """Whether all of it can be saved; what is wrong with the rows stands in the form's summary too."""
        if not self.sent:
            return False
        whole = self.form.is_valid()
        if self.rows.is_valid():
            return whole
        for error in self.rows.non_form_errors():
            self.form.add_error(None, str(error))
        for number, row in enumerate(self.rows.forms, 1):
            for messages in row.errors.values():
                self.form.add_error(None, f"Line {number}: {' '.join(str(each) for each in messages)}")
        return False

    def content(self) -> dict[str, Any]:
        """What the draft is to say."""
        data = self.form.cleaned_data
        return {"due_on": data["due_on"], "note": data["note"], "lines": self.rows.lines}


def due_by_default() -> date:
    """The day on which an invoice written today is due."""
    days = BillingSettings.objects.values_list("payment_days", flat=True).get()
    return today() + timedelta(days=days)
