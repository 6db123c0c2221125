"""The statements that the books must fulfil, each as a query that gives one text per breach. Data only."""

from typing import Final

_SUMS_BY_INVOICE = """
    SELECT e.invoice_id, p.account, p.currency, sum(p.amount) AS amount
    FROM billing_posting p JOIN billing_journalentry e ON e.id = p.entry_id
    WHERE e.key {like} GROUP BY e.invoice_id, p.account, p.currency
"""
# What an invoice should have booked by its `kind` of entry: +1 at its issue, -1 when it is void.
_BOOKED = (
    """
WITH wanted AS (
    SELECT i.id AS invoice_id, a.account, i.currency, {sign} * a.amount AS amount FROM billing_invoice i
    CROSS JOIN LATERAL (
        VALUES ('receivable', i.total), ('revenue', -i.subtotal), ('tax', -i.tax)
    ) a (account, amount)
    WHERE i.status {status} AND a.amount <> 0
), booked AS ("""
    + _SUMS_BY_INVOICE.format(like="LIKE 'invoice:%:{kind}'")
    + """)
SELECT format('invoice %s, %s: %s instead of %s %s', coalesce(w.invoice_id, b.invoice_id),
              coalesce(w.account, b.account), coalesce(b.amount, 0), coalesce(w.amount, 0),
              coalesce(w.currency, b.currency))
FROM wanted w FULL JOIN booked b USING (invoice_id, account, currency)
WHERE w.amount IS DISTINCT FROM b.amount
"""
)
_ENTRIES = """
SELECT format('invoice %s has %s entries', i.id, count(e.id))
FROM billing_invoice i LEFT JOIN billing_journalentry e
    ON e.key = 'invoice:' || i.id || ':{kind}' AND e.invoice_id = i.id AND e.customer_id = i.customer_id
WHERE i.status {status} GROUP BY i.id HAVING count(e.id) <> 1
UNION ALL
SELECT format('entry %s belongs to no such invoice', e.key) FROM billing_journalentry e
WHERE e.key LIKE 'invoice:%:{kind}' AND NOT EXISTS (
    SELECT 1 FROM billing_invoice i WHERE e.key = 'invoice:' || i.id || ':{kind}' AND i.status {status})
"""
_ISSUED = {"kind": "issued", "status": "<> 'draft'", "sign": "1"}
_VOID = {"kind": "voided", "status": "= 'void'", "sign": "-1"}


def _filled(proof: str, words: dict[str, str]) -> str:
    return proof.format(**words)


PROOFS: Final[dict[str, str]] = {
    "every entry sums to zero in each currency": """
SELECT format('entry %s: %s %s', e.key, sum(p.amount), p.currency) FROM billing_posting p
JOIN billing_journalentry e ON e.id = p.entry_id
GROUP BY e.id, e.key, p.currency HAVING sum(p.amount) <> 0""",
    "every posting belongs to an entry, every entry to its audit event": """
SELECT format('posting %s', p.id) FROM billing_posting p LEFT JOIN billing_journalentry e ON e.id = p.entry_id
WHERE e.id IS NULL UNION ALL
SELECT format('entry %s', e.key) FROM billing_journalentry e LEFT JOIN audit_auditevent a
ON a.id = e.audit_event_id WHERE a.id IS NULL""",
    "every issued invoice is the sum of its lines": """
SELECT format('invoice %s', i.number) FROM billing_invoice i LEFT JOIN (
    SELECT invoice_id, sum(net) AS net, sum(tax) AS tax, sum(gross) AS gross FROM billing_invoiceline
    GROUP BY invoice_id) l ON l.invoice_id = i.id
WHERE i.status <> 'draft' AND (l.net, l.tax, l.gross) IS DISTINCT FROM (i.subtotal, i.tax, i.total)
UNION ALL SELECT format('line %s', id) FROM billing_invoiceline WHERE net + tax <> gross
UNION ALL SELECT format('line %s: amount', id) FROM billing_invoiceline
    WHERE unit_amount * quantity <> CASE WHEN tax_inclusive THEN gross ELSE net END""",
    "the tax summary of every issued invoice is the sum of its lines": """
SELECT format('invoice %s', i.number) FROM billing_invoice i CROSS JOIN LATERAL (
    SELECT coalesce(sum((s->>'net')::bigint), 0) AS net, coalesce(sum((s->>'tax')::bigint), 0) AS tax
    FROM jsonb_array_elements(i.tax_summary) s) t
WHERE i.status <> 'draft' AND (t.net, t.tax) IS DISTINCT FROM (i.subtotal, i.tax)""",
    "every issued invoice is booked once": _filled(_ENTRIES, _ISSUED),
    "every issue is booked with the invoice's amounts": _filled(_BOOKED, _ISSUED),
    "every void invoice is taken back once": _filled(_ENTRIES, _VOID),
    "every void invoice is taken back with its amounts": _filled(_BOOKED, _VOID),
    "each invoice's receivable is what is still to be paid": """
SELECT format('invoice %s: the ledger says %s %s, the invoice %s', i.number, coalesce(r.amount, 0),
              i.currency, CASE WHEN i.status = 'void' THEN 0 ELSE i.total - i.amount_paid END)
FROM billing_invoice i LEFT JOIN (
    SELECT e.invoice_id, p.currency, sum(p.amount) AS amount FROM billing_posting p
    JOIN billing_journalentry e ON e.id = p.entry_id WHERE p.account = 'receivable'
    GROUP BY e.invoice_id, p.currency) r ON r.invoice_id = i.id AND r.currency = i.currency
WHERE i.status <> 'draft'
  AND coalesce(r.amount, 0) <> CASE WHEN i.status = 'void' THEN 0 ELSE i.total - i.amount_paid END
UNION ALL
SELECT format('entry %s: receivable of no invoice, or in another currency', e.key) FROM billing_posting p
JOIN billing_journalentry e ON e.id = p.entry_id LEFT JOIN billing_invoice i ON i.id = e.invoice_id
WHERE p.account = 'receivable' AND (i.id IS NULL OR i.currency <> p.currency OR i.status = 'draft')""",
    "receivables are what all open invoices leave to pay": """
SELECT format('%s: the ledger says %s, the invoices %s', currency, sum(ledger), sum(invoices)) FROM (
    SELECT currency, amount AS ledger, 0 AS invoices FROM billing_posting WHERE account = 'receivable'
    UNION ALL SELECT currency, 0, total - amount_paid FROM billing_invoice WHERE status IN ('open', 'paid')
) both_sides GROUP BY currency HAVING sum(ledger) <> sum(invoices)""",
    "every payment that succeeded is booked once, with its amount": """
SELECT format('payment %s: %s entries of %s', y.id, count(DISTINCT e.id), coalesce(sum(p.amount), 0))
FROM billing_payment y LEFT JOIN billing_journalentry e ON e.key = 'payment:' || y.id || ':succeeded'
LEFT JOIN billing_posting p
    ON p.entry_id = e.id AND p.account IN ('stripe', 'bank') AND p.currency = y.currency
WHERE y.state = 'succeeded' GROUP BY y.id, y.amount
HAVING count(DISTINCT e.id) <> 1 OR coalesce(sum(p.amount), 0) <> y.amount
UNION ALL
SELECT format('entry %s: no such payment succeeded', e.key) FROM billing_journalentry e
WHERE e.key LIKE 'payment:%:succeeded' AND NOT EXISTS (SELECT 1 FROM billing_payment y
    WHERE e.key = 'payment:' || y.id || ':succeeded' AND y.state = 'succeeded')""",
    "what was paid on an invoice came in by payments": """
SELECT format('invoice %s: paid %s, payments %s', i.number, i.amount_paid, coalesce(y.amount, 0))
FROM billing_invoice i LEFT JOIN (
    SELECT invoice_id, currency, sum(amount) AS amount FROM billing_payment WHERE state = 'succeeded'
    GROUP BY invoice_id, currency) y ON y.invoice_id = i.id AND y.currency = i.currency
WHERE i.amount_paid > coalesce(y.amount, 0)""",
    "every issued invoice bears the number that was drawn for it": """
SELECT format('invoice %s', i.number) FROM billing_invoice i LEFT JOIN audit_auditevent a
    ON a.action = 'invoice.issued' AND a.subject_kind = 'invoice' AND a.subject_id = i.id::text
WHERE i.status <> 'draft' GROUP BY i.id
HAVING count(a.id) <> 1 OR min(a.details->'after'->>'number') IS DISTINCT FROM i.number""",
    "numbers are without a gap in each series": """
SELECT format('series %s: %s drawn, %s used up to %s', key, s.last, u.used, u.last)
FROM billing_numberseries s FULL JOIN (
    SELECT a.details->>'series' AS key, count(DISTINCT (a.details->>'n')::bigint) AS used,
           max((a.details->>'n')::bigint) AS last
    FROM audit_auditevent a JOIN billing_invoice i ON i.id::text = a.subject_id
    WHERE a.action = 'invoice.issued' AND a.subject_kind = 'invoice' GROUP BY 1) u USING (key)
WHERE s.last IS DISTINCT FROM u.used OR s.last IS DISTINCT FROM u.last""",
    "no period is billed twice, and none overlaps another": """
SELECT format('subscription %s: %s', subscription_id, period_start) FROM (
    SELECT subscription_id, period_start,
           lag(period_end) OVER (PARTITION BY subscription_id ORDER BY period_start, id) AS before
    FROM billing_invoiceline WHERE kind = 'recurring' AND subscription_id IS NOT NULL) l
WHERE before > period_start""",
    "every subscription stands behind what it has billed": """
SELECT format('subscription %s: due %s, on its grid %s, billed to %s', s.id, s.next_due_on, g.due, l.until)
FROM billing_subscription s JOIN billing_price r ON r.id = s.price_id
CROSS JOIN LATERAL (SELECT (s.anchored_on + make_interval(months => s.next_index * CASE r.cycle
    WHEN 'monthly' THEN 1 WHEN 'quarterly' THEN 3 WHEN 'semi_annual' THEN 6 WHEN 'annual' THEN 12
    WHEN 'biennial' THEN 24 WHEN 'triennial' THEN 36 END))::date AS due) g
LEFT JOIN (SELECT subscription_id, max(period_end) AS until FROM billing_invoiceline
    WHERE kind = 'recurring' GROUP BY subscription_id) l ON l.subscription_id = s.id
WHERE s.status = 'active' AND (s.next_due_on IS DISTINCT FROM g.due OR l.until > s.next_due_on)""",
}
