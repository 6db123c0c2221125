"""The guards of lines wait for whoever is issuing the invoice, and look at it then.

They read the invoice's state without a lock before: of an invoice being issued at this moment they saw the
draft, and let a line onto it that is on no document. FOR SHARE, because whoever issues holds the row FOR NO KEY
UPDATE from the first look on; FOR KEY SHARE would pass beside that. The row is locked by its id and looked at
afterwards: a condition on the state would be tested on the old row, and lock nothing.
"""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION billing_line_guard() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.invoice_id <> OLD.invoice_id THEN
        PERFORM 1 FROM billing_invoice WHERE id IN (OLD.invoice_id, NEW.invoice_id) ORDER BY id FOR SHARE;
    END IF;
    IF EXISTS (SELECT 1 FROM billing_invoice WHERE id = OLD.invoice_id AND status <> 'draft')
       OR (TG_OP = 'UPDATE' AND NEW.invoice_id <> OLD.invoice_id AND EXISTS
           (SELECT 1 FROM billing_invoice WHERE id = NEW.invoice_id AND status <> 'draft')) THEN
        RAISE EXCEPTION 'the lines of an issued invoice never change' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $fn$;

CREATE OR REPLACE FUNCTION billing_line_not_added_later() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    -- Invoices that this transaction wrote itself, as the invoice run does, nobody else can see or issue.
    PERFORM 1 FROM billing_invoice i WHERE i.id IN (SELECT invoice_id FROM added)
        AND i.written_by <> pg_current_xact_id() ORDER BY i.id FOR SHARE;
    IF EXISTS (SELECT 1 FROM added JOIN billing_invoice i ON i.id = added.invoice_id
               WHERE i.status <> 'draft' AND i.written_by <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'no line is added to an issued invoice' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $fn$;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_refunds_fail")]
    operations = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
