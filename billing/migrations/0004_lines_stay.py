"""A line of a draft can no more be moved onto an issued invoice than one be added to it."""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION billing_line_guard() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF EXISTS (SELECT 1 FROM billing_invoice WHERE id = OLD.invoice_id AND status <> 'draft')
       OR (TG_OP = 'UPDATE' AND NEW.invoice_id <> OLD.invoice_id AND EXISTS
           (SELECT 1 FROM billing_invoice WHERE id = NEW.invoice_id AND status <> 'draft')) THEN
        RAISE EXCEPTION 'the lines of an issued invoice never change' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $fn$;

CREATE FUNCTION billing_written_by_guard() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    RAISE EXCEPTION 'who wrote an invoice never changes' USING ERRCODE = 'insufficient_privilege';
END $fn$;
CREATE TRIGGER written_by_guard BEFORE UPDATE ON billing_invoice
    FOR EACH ROW WHEN (NEW.written_by IS DISTINCT FROM OLD.written_by)
    EXECUTE FUNCTION billing_written_by_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_payments")]
    operations = [migrations.RunSQL(GUARD, migrations.RunSQL.noop)]
