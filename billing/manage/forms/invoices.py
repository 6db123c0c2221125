"""Forms about invoices: a draft with its lines, a payment recorded by hand, filters."""

from collections.abc import Mapping
from typing import Any

from django import forms

from billing import listing
from billing.manage.forms.customers import text
from billing.manage.forms.parts import AmountField, DayField, SearchField, amount_of, digits
from billing.models import Invoice
from billing.models.catalog import TaxClass
from billing.money import Money
from billing.pricing import MAX_DESCRIPTION, MAX_QUANTITY

ROWS, MORE_ROWS, MAX_ROWS = 3, 3, 100
LINE_FIELDS = ("description", "quantity", "amount", "tax_class", "tax_inclusive")


class DraftForm(forms.Form):
    """What stands above and below the lines."""

    due_on = DayField(label="Due on")
    note = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class LineForm(forms.Form):
    """One line; left empty it is no line."""

    description = text("Description", MAX_DESCRIPTION)
    quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY, required=False, initial=1)
    amount = AmountField(label="Unit price", required=False)
    tax_class = forms.ChoiceField(label="Taxed as", choices=TaxClass.choices, required=False)
    tax_inclusive = forms.BooleanField(label="Tax included", required=False)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    @property
    def is_empty(self) -> bool:
        """Whether this row was left alone."""
        return not (self.cleaned_data.get("description") or self.cleaned_data.get("amount_text"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        data["amount_text"] = data.get("amount") or self["amount"].value() or ""
        if self.is_empty:
            return data
        if not data.get("description"):
            self.add_error("description", "Say what this line is for.")
        if not data.get("amount") and "amount" not in self.errors:
            self.add_error("amount", "Enter the price of one unit.")
        data["amount"] = amount_of(self, "amount", self.currency)
        data["quantity"] = data.get("quantity") or 1
        data["tax_class"] = data.get("tax_class") or TaxClass.STANDARD
        return data


class BaseLines(forms.BaseFormSet):  # type: ignore[type-arg]
    """The lines of a draft: at least one that is not empty."""

    def clean(self) -> None:
        if not any(self.errors) and not self.lines:
            raise forms.ValidationError("An invoice needs at least one line.")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What the rows that were filled in say."""
        filled = [form.cleaned_data for form in self.forms if form.is_valid() and not form.is_empty]
        return [{name: row[name] for name in LINE_FIELDS} for row in filled]


def lines_of(
    data: Mapping[str, Any] | None, *, currency: str, initial: list[dict[str, Any]], extra: int = ROWS
) -> BaseLines:
    """The rows of a draft: those it has, and some empty ones."""
    made = forms.formset_factory(
        LineForm, formset=BaseLines, extra=extra, max_num=MAX_ROWS, absolute_max=MAX_ROWS
    )
    rows: BaseLines = made(data, initial=initial, prefix="lines", form_kwargs={"currency": currency})  # type: ignore[assignment]
    return rows


def typed_rows(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the rows of a sent form hold, as typed: to show them again with more rows below."""
    try:
        total = min(int(data.get("lines-TOTAL_FORMS", "0")), MAX_ROWS)
    except ValueError:
        total = 0
    return [{name: data.get(f"lines-{at}-{name}", "") for name in LINE_FIELDS} for at in range(total)]


def rows_of(invoice: Invoice) -> list[dict[str, Any]]:
    """A draft's lines as the form takes them."""
    return [
        {
            "description": line.description,
            "quantity": line.quantity,
            "amount": digits(line.unit_amount, invoice.currency),
            "tax_class": line.tax_class,
            "tax_inclusive": line.tax_inclusive,
        }
        for line in invoice.lines.all()
    ]


class ManualPaymentForm(forms.Form):
    """Money that came by bank, in cash, or elsewhere."""

    amount = AmountField(label="Amount received")
    received_on = DayField(label="Received on")
    note = text("Note", 200, help="The bank's reference, or how it came.")

    def __init__(self, *args: Any, due: Money, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.due = due

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        amount = amount_of(self, "amount", self.due.currency, least=1)
        if amount is not None and amount > self.due.minor:
            self.add_error(
                "amount", f"At most {digits(self.due.minor, self.due.currency)} is still to be paid."
            )
        data["amount"] = amount
        return data


class VoidForm(forms.Form):
    """Why an invoice is void."""

    reason = text("Reason", 200, help="For the record.")


class NotPaidForm(forms.Form):
    """How somebody knows that a payment did not happen."""

    reason = text("How do you know?", 200, help="For the record. Look in Stripe first.")


class InvoiceFilter(forms.Form):
    q = SearchField(placeholder="Number or customer")
    currency = forms.ChoiceField(required=False)
    due_from = DayField(label="Due from", required=False)
    due_to = DayField(label="Due to", required=False)
    status = forms.ChoiceField(
        required=False,
        choices=[("", ""), *Invoice.Status.choices, *((word, word) for word in listing.MORE_STATES)],
        widget=forms.HiddenInput,
    )
    customer = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, currencies: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [("", "Any"), *((code, code) for code in currencies)]  # type: ignore[attr-defined]
