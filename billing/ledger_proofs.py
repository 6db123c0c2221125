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
LEFT JOIN billing_posting p ON p.entry_id = e.id AND p.currency = y.currency
    AND p.account = CASE y.method WHEN 'manual' THEN 'bank' ELSE 'stripe' END
WHERE y.state = 'succeeded' GROUP BY y.id, y.amount
HAVING count(DISTINCT e.id) <> 1 OR coalesce(sum(p.amount), 0) <> y.amount
UNION ALL
SELECT format('entry %s: no such payment succeeded', e.key) FROM billing_journalentry e
WHERE e.key LIKE 'payment:%:succeeded' AND NOT EXISTS (SELECT 1 FROM billing_payment y
    WHERE e.key = 'payment:' || y.id || ':succeeded' AND y.state = 'succeeded')""",
    "what was paid on an invoice came in by payments, what came in more is credit": """
SELECT format('invoice %s: paid %s, payments %s, of it credit %s', i.number, i.amount_paid,
              coalesce(y.amount, 0), coalesce(c.amount, 0))
FROM billing_invoice i LEFT JOIN (
    SELECT invoice_id, currency, sum(amount) AS amount FROM billing_payment WHERE state = 'succeeded'
    GROUP BY invoice_id, currency) y ON y.invoice_id = i.id AND y.currency = i.currency
LEFT JOIN (
    SELECT e.invoice_id, p.currency, -sum(p.amount) AS amount FROM billing_posting p
    JOIN billing_journalentry e ON e.id = p.entry_id
    WHERE p.account = 'credit' AND e.key LIKE 'payment:%:succeeded'
    GROUP BY e.invoice_id, p.currency) c ON c.invoice_id = i.id AND c.currency = i.currency
WHERE i.amount_paid <> coalesce(y.amount, 0) - coalesce(c.amount, 0)""",
    "every fee is booked once, as its payment and its event say": """
SELECT format('payment %s: fee %s, booked %s', y.id, y.fee, coalesce(f.amount, 0)) FROM billing_payment y
LEFT JOIN (
    SELECT e.key, p.currency, sum(p.amount) AS amount FROM billing_posting p
    JOIN billing_journalentry e ON e.id = p.entry_id WHERE p.account = 'fees' AND e.key LIKE 'payment:%:fee'
    GROUP BY e.key, p.currency) f ON f.key = 'payment:' || y.id || ':fee' AND f.currency = y.currency
WHERE y.fee <> coalesce(f.amount, 0)
UNION ALL
SELECT format('entry %s: its event says %s %s', e.key, a.details->>'amount', a.details->>'currency')
FROM billing_journalentry e JOIN audit_auditevent a ON a.id = e.audit_event_id
LEFT JOIN billing_posting p ON p.entry_id = e.id AND p.account = 'fees'
WHERE e.key LIKE 'payment:%:fee' AND (a.action <> 'fee.booked'
    OR (p.amount, p.currency) IS DISTINCT FROM ((a.details->>'amount')::bigint, a.details->>'currency')
    OR NOT EXISTS (SELECT 1 FROM billing_payment y WHERE e.key = 'payment:' || y.id || ':fee'
                   AND y.state = 'succeeded'))""",
    "every refund is booked once with its amount, and taken back if it failed": """
SELECT format('refund %s of %s %s: booked %s by %s entries', r.external_id, r.amount, r.currency,
              coalesce(sum(p.amount), 0), count(DISTINCT e.id))
FROM billing_refund r JOIN billing_payment y ON y.id = r.payment_id
LEFT JOIN billing_journalentry e ON e.invoice_id = y.invoice_id AND e.customer_id = y.customer_id
    AND e.key IN ('refund:' || r.external_id, 'refund:' || r.external_id || ':failed')
LEFT JOIN billing_posting p ON p.entry_id = e.id AND p.account = 'stripe' AND p.currency = r.currency
GROUP BY r.id HAVING count(DISTINCT e.id) <> CASE WHEN r.failed_at IS NULL THEN 1 ELSE 2 END
    OR coalesce(sum(p.amount), 0) <> CASE WHEN r.failed_at IS NULL THEN -r.amount ELSE 0 END
UNION ALL
SELECT format('entry %s: no such refund', e.key) FROM billing_journalentry e WHERE e.key LIKE 'refund:%'
AND NOT EXISTS (SELECT 1 FROM billing_refund r WHERE e.key = 'refund:' || r.external_id
    OR (e.key = 'refund:' || r.external_id || ':failed' AND r.failed_at IS NOT NULL))""",
    "no payment is refunded beyond what it took": """
SELECT format('payment %s of %s: %s refunded', y.id, y.amount, r.amount) FROM billing_payment y JOIN (
    SELECT payment_id, sum(amount) AS amount FROM billing_refund WHERE failed_at IS NULL GROUP BY payment_id
) r ON r.payment_id = y.id WHERE r.amount > y.amount OR y.state <> 'succeeded'""",
    "every movement of a dispute is booked as its event says": """
WITH booked AS (
    SELECT e.audit_event_id, p.currency,
           coalesce(sum(p.amount) FILTER (WHERE p.account IN ('disputes', 'credit')), 0) AS amount,
           coalesce(sum(p.amount) FILTER (WHERE p.account = 'fees'), 0) AS fee
    FROM billing_posting p JOIN billing_journalentry e ON e.id = p.entry_id
    WHERE e.key LIKE 'dispute:%' GROUP BY e.audit_event_id, p.currency
), told AS (
    SELECT a.id AS audit_event_id, m.moved->>1 AS currency, -sum((m.moved->>0)::bigint) AS amount,
           sum((m.moved->>2)::bigint) AS fee
    FROM audit_auditevent a CROSS JOIN LATERAL jsonb_array_elements(a.details->'moved') m (moved)
    WHERE a.action IN ('dispute.opened', 'dispute.moved') GROUP BY a.id, m.moved->>1
)
SELECT format('event %s: booked %s and a fee of %s, told %s and %s', audit_event_id, b.amount, b.fee,
              t.amount, t.fee)
FROM booked b FULL JOIN told t USING (audit_event_id, currency)
WHERE (coalesce(b.amount, 0), coalesce(b.fee, 0)) <> (coalesce(t.amount, 0), coalesce(t.fee, 0))
UNION ALL
SELECT format('entry %s: of no disputed payment', e.key) FROM billing_journalentry e
WHERE e.key LIKE 'dispute:%' AND NOT EXISTS (
    SELECT 1 FROM billing_dispute d JOIN billing_payment y ON y.id = d.payment_id
    WHERE y.invoice_id = e.invoice_id AND y.state = 'succeeded')""",
    "credit is what came in beyond what was due, less what went back": """
SELECT format('invoice %s: credit of %s %s', e.invoice_id, -sum(p.amount), p.currency)
FROM billing_posting p JOIN billing_journalentry e ON e.id = p.entry_id WHERE p.account = 'credit'
GROUP BY e.invoice_id, e.customer_id, p.currency HAVING sum(p.amount) > 0""",
    "every entry is of a kind that we know, on the accounts of its kind": """
SELECT format('entry %s on %s', e.key, p.account) FROM billing_posting p
JOIN billing_journalentry e ON e.id = p.entry_id
WHERE NOT CASE
    WHEN e.key ~ '^invoice:[0-9a-f-]{36}:(issued|voided)$' THEN p.account IN ('receivable', 'revenue', 'tax')
    WHEN e.key ~ '^payment:[0-9a-f-]{36}:succeeded$'
        THEN p.account IN ('stripe', 'bank', 'receivable', 'credit')
    WHEN e.key ~ '^payment:[0-9a-f-]{36}:fee$' THEN p.account IN ('fees', 'stripe')
    WHEN e.key ~ '^refund:[^:]+(:failed)?$' THEN p.account IN ('refunds', 'credit', 'stripe')
    WHEN e.key ~ '^dispute:[^:]+$' THEN p.account IN ('disputes', 'credit', 'fees', 'stripe')
    ELSE false END""",
    "every issued invoice bears the number that was drawn for it": """
SELECT format('invoice %s', i.number) FROM billing_invoice i LEFT JOIN audit_auditevent a
    ON a.action = 'invoice.issued' AND a.subject_kind = 'invoice' AND a.subject_id = i.id::text
WHERE i.status <> 'draft' GROUP BY i.id
HAVING count(a.id) <> 1 OR min(a.details->'after'->>'number') IS DISTINCT FROM i.number""",
    "numbers are without a gap in each series": """
SELECT format('series %s: %s drawn, %s used up to %s, %s purged', key, s.last, u.used, u.last, s.purged)
FROM billing_numberseries s FULL JOIN (
    SELECT a.details->>'series' AS key, count(DISTINCT (a.details->>'n')::bigint) AS used,
           max((a.details->>'n')::bigint) AS last
    FROM audit_auditevent a JOIN billing_invoice i ON i.id::text = a.subject_id
    WHERE a.action = 'invoice.issued' AND a.subject_kind = 'invoice' GROUP BY 1) u USING (key)
WHERE s.last IS DISTINCT FROM coalesce(u.used, 0) + s.purged
   OR (s.purged = 0 AND s.last IS DISTINCT FROM u.last)""",
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
