"""Have the guard of lines find their invoices by index.

Joined with what was added, about which the planner knows nothing, all invoices were read for each chunk of a run.
"""

from django.db import migrations

GUARDS = """
CREATE OR REPLACE FUNCTION billing_line_not_added_later() RETURNS trigger LANGUAGE plpgsql AS $fn$
DECLARE theirs uuid[] := ARRAY(SELECT DISTINCT invoice_id FROM added);
BEGIN
    -- Invoices that this transaction wrote itself, as the invoice run does, nobody else can see or issue.
    PERFORM 1 FROM billing_invoice i WHERE i.id = ANY (theirs)
        AND i.written_by <> pg_current_xact_id() ORDER BY i.id FOR SHARE;
    IF EXISTS (SELECT 1 FROM billing_invoice i WHERE i.id = ANY (theirs)
               AND i.status <> 'draft' AND i.written_by <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'no line is added to an issued invoice' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $fn$;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0009_payments_unanswered")]
    operations = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
