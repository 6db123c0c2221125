"""What the database itself refuses: unbalanced entries, changed history, invoices that do not add up."""

from django.db import migrations

LEDGER = """
CREATE FUNCTION billing_refuse() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $fn$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_journalentry
    FOR EACH ROW EXECUTE FUNCTION billing_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON billing_journalentry
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_posting
    FOR EACH ROW EXECUTE FUNCTION billing_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON billing_posting
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse();

-- Deferred triggers run at commit, when another tenant may have been entered: they look at their own schema.
CREATE FUNCTION billing_posting_balanced() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fn$
BEGIN
    IF EXISTS (SELECT 1 FROM billing_posting WHERE entry_id = NEW.entry_id
               GROUP BY currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'journal entry % does not sum to zero', NEW.entry_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $fn$;
CREATE CONSTRAINT TRIGGER posting_balanced AFTER INSERT ON billing_posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing_posting_balanced();
"""

INVOICES = """
ALTER TABLE billing_invoice ADD COLUMN written_by xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE FUNCTION billing_invoice_guard() RETURNS trigger LANGUAGE plpgsql AS $fn$
DECLARE was billing_invoice; becomes billing_invoice;
BEGIN
    IF OLD.status = 'draft' THEN
        IF TG_OP = 'UPDATE' AND NEW.status NOT IN ('draft', 'open') THEN
            RAISE EXCEPTION 'a draft can only be issued' USING ERRCODE = 'check_violation';
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' THEN
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
CREATE TRIGGER invoice_guard BEFORE UPDATE OR DELETE ON billing_invoice
    FOR EACH ROW EXECUTE FUNCTION billing_invoice_guard();

CREATE FUNCTION billing_line_guard() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF (SELECT status FROM billing_invoice WHERE id = OLD.invoice_id) <> 'draft' THEN
        RAISE EXCEPTION 'the lines of an issued invoice never change' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $fn$;
CREATE TRIGGER line_guard BEFORE UPDATE OR DELETE ON billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION billing_line_guard();

CREATE FUNCTION billing_line_not_added_later() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF EXISTS (SELECT 1 FROM added JOIN billing_invoice i ON i.id = added.invoice_id
               WHERE i.status <> 'draft' AND i.written_by <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'no line is added to an issued invoice' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $fn$;
CREATE TRIGGER line_not_added_later AFTER INSERT ON billing_invoiceline
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION billing_line_not_added_later();

CREATE FUNCTION billing_invoice_adds_up() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $fn$
DECLARE lines record;
BEGIN
    SELECT coalesce(sum(net), 0) AS net, coalesce(sum(tax), 0) AS tax, coalesce(sum(gross), 0) AS gross
        INTO lines FROM billing_invoiceline WHERE invoice_id = NEW.id;
    IF (lines.net, lines.tax, lines.gross) IS DISTINCT FROM (NEW.subtotal, NEW.tax, NEW.total) THEN
        RAISE EXCEPTION 'invoice % is not the sum of its lines', NEW.number USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $fn$;
CREATE CONSTRAINT TRIGGER invoice_adds_up AFTER INSERT OR UPDATE OF status ON billing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'open')
    EXECUTE FUNCTION billing_invoice_adds_up();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [
        migrations.RunSQL(LEDGER, migrations.RunSQL.noop),
        migrations.RunSQL(INVOICES, migrations.RunSQL.noop),
    ]
