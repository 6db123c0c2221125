"""Billing records of an account that was closed seven years ago may go: whole, and by one function only.

The app's own roles still cannot delete an issued invoice or an entry. The function belongs to the owner of
the schema, looks for itself whether the time has come and whether a legal hold stands, and by its own clock.
"""

from django.db import migrations, models

# Named with their schemas: whoever may make temporary tables must not be able to stand in for the catalog.
PURGING = """current_setting('proecommerce.purging', true) = 'closed account' AND current_user =
        (SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c WHERE c.oid = TG_RELID)"""

LEDGER = f"""
CREATE OR REPLACE FUNCTION billing_refuse() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF TG_OP = 'DELETE' AND {PURGING} THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $fn$;
"""

INVOICES = f"""
CREATE OR REPLACE FUNCTION billing_invoice_guard() RETURNS trigger LANGUAGE plpgsql AS $fn$
DECLARE was billing_invoice; becomes billing_invoice;
BEGIN
    IF OLD.status = 'draft' THEN
        IF TG_OP = 'UPDATE' AND NEW.status NOT IN ('draft', 'open') THEN
            RAISE EXCEPTION 'a draft can only be issued' USING ERRCODE = 'check_violation';
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF {PURGING} THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'invoice % is issued and stays', OLD.number USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NEW.status <> OLD.status AND NOT (OLD.status = 'open' AND NEW.status IN ('paid', 'void')) THEN
        RAISE EXCEPTION 'invoice % cannot go from % to %', OLD.number, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    was := OLD; becomes := NEW;
    becomes.status := was.status; becomes.amount_paid := was.amount_paid; becomes.paid_at := was.paid_at;
    becomes.voided_at := was.voided_at; becomes.sent_at := was.sent_at;
    becomes.collection_paused := was.collection_paused;
    IF becomes IS DISTINCT FROM was THEN
        RAISE EXCEPTION 'invoice % is issued and never changes', OLD.number
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $fn$;
"""

LINES = f"""
CREATE OR REPLACE FUNCTION billing_line_guard() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF TG_OP = 'DELETE' AND {PURGING} THEN
        RETURN OLD;
    END IF;
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
"""

SERIES = f"""
CREATE FUNCTION billing_series_guard() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF {PURGING} THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'numbers are purged with the books of a closed account only'
        USING ERRCODE = 'insufficient_privilege';
END $fn$;
CREATE TRIGGER series_guard BEFORE UPDATE ON billing_numberseries
    FOR EACH ROW WHEN (NEW.purged IS DISTINCT FROM OLD.purged) EXECUTE FUNCTION billing_series_guard();
"""

PURGE = """
CREATE FUNCTION billing_purge_closed(gone uuid) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER AS $fn$
DECLARE closed timestamptz; went jsonb := '{}'; found bigint; part text[];
BEGIN
    SELECT c.closed_at INTO closed FROM privacy_closing c WHERE c.subject_kind = 'customer'
        AND c.subject_id = gone::text AND c.undone_at IS NULL AND c.done_at IS NOT NULL;
    IF closed IS NULL THEN
        RAISE EXCEPTION 'customer % is not closed for good', gone USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Seven years back from now: what began on 29 February is kept to 1 March.
    IF closed > now() - interval '7 years' THEN
        RAISE EXCEPTION 'customer % was closed less than seven years ago', gone
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (SELECT 1 FROM privacy_hold h WHERE h.subject_kind = 'customer' AND h.subject_id = gone::text
                  AND h.lifted_at IS NULL)
       OR EXISTS (SELECT 1 FROM public.privacy_hold h JOIN public.tenants_tenant t ON t.id::text = h.subject_id
                  WHERE h.subject_kind = 'tenant' AND h.lifted_at IS NULL AND t.schema_name =
                      (SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
                       ON n.oid = c.relnamespace WHERE c.oid = 'billing_invoice'::regclass)) THEN
        RAISE EXCEPTION 'a legal hold stands on customer %', gone USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('proecommerce.purging', 'closed account', true);
    UPDATE billing_numberseries s SET purged = s.purged + i.drawn FROM (
        SELECT a.details->>'series' AS key, count(DISTINCT a.details->>'n') AS drawn
        FROM audit_auditevent a JOIN billing_invoice v ON v.id::text = a.subject_id
        WHERE a.action = 'invoice.issued' AND a.subject_kind = 'invoice' AND v.customer_id = gone GROUP BY 1) i
        WHERE i.key = s.key;
    FOREACH part SLICE 1 IN ARRAY ARRAY[
        ['billing_dispute', 'payment_id IN (SELECT id FROM billing_payment WHERE customer_id = $1)'],
        ['billing_refund', 'payment_id IN (SELECT id FROM billing_payment WHERE customer_id = $1)'],
        ['billing_posting', 'entry_id IN (SELECT id FROM billing_journalentry WHERE customer_id = $1
            OR invoice_id IN (SELECT id FROM billing_invoice WHERE customer_id = $1))'],
        ['billing_journalentry', 'customer_id = $1
            OR invoice_id IN (SELECT id FROM billing_invoice WHERE customer_id = $1)'],
        ['billing_payment', 'customer_id = $1'],
        ['billing_invoiceline', 'invoice_id IN (SELECT id FROM billing_invoice WHERE customer_id = $1)'],
        ['billing_invoice', 'customer_id = $1'],
        ['billing_subscription', 'customer_id = $1'],
        ['billing_paymentmethod', 'customer_id = $1'],
        ['billing_paymentprofile', 'customer_id = $1']]
    LOOP
        EXECUTE format('DELETE FROM %I WHERE %s', part[1], part[2]) USING gone;
        GET DIAGNOSTICS found = ROW_COUNT;
        went := went || jsonb_build_object(part[1], found);
    END LOOP;
    PERFORM set_config('proecommerce.purging', '', true);
    RETURN went;
END $fn$;
DO $do$ BEGIN
    EXECUTE format('ALTER FUNCTION billing_purge_closed(uuid) SET search_path = pg_catalog, %I, pg_temp',
                   current_schema());
    ALTER FUNCTION billing_purge_closed(uuid) SET timezone = 'UTC';
END $do$;
REVOKE EXECUTE ON FUNCTION billing_purge_closed(uuid) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_pauses_lifted"), ("privacy", "0006_erasures")]
    operations = [
        migrations.AddField("numberseries", "purged", models.BigIntegerField(db_default=0, default=0)),
        *(
            migrations.RunSQL(part, migrations.RunSQL.noop)
            for part in (LEDGER, INVOICES, LINES, SERIES, PURGE)
        ),
    ]
