"""What a legal hold keeps, and how a whole tenant goes: on record, and its consents kept.

A tenant that was closed seven years ago goes, and a rehearsal; nothing else, whatever the application asks for.
"""

from django.db import migrations

from tenants.postgresql.base import PUBLIC_ROLE

MONEY = "^(invoice|payment|refund|dispute|fee|tax_rate)\\."

# As in 0008_audit_purge, but that a hold keeps the whole record, a tenant's end stays on the platform's, and what
# concerns money goes only when a checkpoint has seen it for as long as it is kept.
PURGEABLE = """
CREATE OR REPLACE FUNCTION public.audit_purgeable(tenant_schema text, as_of timestamptz)
RETURNS TABLE (seq bigint, prev_hash bytea, hash bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $fn$
DECLARE
    seen bigint;
    seen_long bigint;
    held boolean := false;
    booked text := 'false';
BEGIN
    IF tenant_schema <> 'public' AND tenant_schema !~ '^t_[a-z0-9_]{{1,60}}$' THEN
        RAISE EXCEPTION 'not a tenant schema name: %', tenant_schema USING ERRCODE = 'invalid_schema_name';
    END IF;
    -- Not now(), which is when the transaction began: the caller reads its own clock, and later.
    IF as_of > clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'events are purged as of an instant that has come' USING ERRCODE = 'check_violation';
    END IF;
    SELECT max(a.seq), coalesce(max(a.seq) FILTER (WHERE a.at <= as_of - interval '84 months'), 0)
        INTO seen, seen_long FROM public.audit_anchor a
        WHERE a.schema_name = tenant_schema AND a.at <= as_of - interval '24 months';
    IF seen IS NULL THEN
        RETURN;
    END IF;
    -- Of one person a chain tells in many places: in what concerns invoices, in what others did. A hold holds it whole.
    IF to_regclass(format('%I.privacy_hold', tenant_schema)) IS NOT NULL THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.privacy_hold WHERE lifted_at IS NULL)', tenant_schema) INTO held;
    END IF;
    IF held OR EXISTS (SELECT FROM public.privacy_hold h JOIN public.tenants_tenant t ON t.id::text = h.subject_id
                       WHERE h.subject_kind = 'tenant' AND h.lifted_at IS NULL AND t.schema_name = tenant_schema)
    THEN
        RETURN;
    END IF;
    IF to_regclass(format('%I.billing_journalentry', tenant_schema)) IS NOT NULL THEN
        booked := format(
            'EXISTS (SELECT FROM %I.billing_journalentry j WHERE j.audit_event_id = e.id)', tenant_schema);
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT e.seq, e.prev_hash, e.hash FROM %I.audit_auditevent e WHERE e.action <> ALL($2)'
        ' AND e.seq <= CASE WHEN e.action ~ $4 THEN $5 ELSE $1 END'
        ' AND e.at <= $3 - CASE WHEN e.action ~ $4 THEN interval ''84 months'' ELSE interval ''24 months'' END'
        ' AND NOT (' || booked || ') ORDER BY e.seq', tenant_schema)
        USING seen, ARRAY['audit.purged', 'tenant.dropped'], as_of, '{money}', seen_long;
END $fn$;
"""

# Who could turn a live tenant into a rehearsal could have it dropped.
REHEARSALS = """
CREATE FUNCTION public.keep_live_tenants() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $fn$
BEGIN
    IF current_user = '{public}' THEN
        RAISE EXCEPTION 'a live tenant never becomes a rehearsal' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $fn$;
CREATE TRIGGER keep_live_tenants BEFORE UPDATE OF is_rehearsal ON public.tenants_tenant
    FOR EACH ROW WHEN (NEW.is_rehearsal AND NOT OLD.is_rehearsal) EXECUTE FUNCTION public.keep_live_tenants();
"""

# It looks for itself whether the tenant may go, by the database's own clock; whether a legal hold stands; and whether
# the platform's record says how the chain of the tenant ended.
DROP = """
CREATE FUNCTION public.drop_tenant(gone uuid, record_id uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $fn$
DECLARE tenant record; place text; closed timestamptz; held boolean; head record; shared record;
BEGIN
    SELECT t.schema_name, t.status, t.is_rehearsal INTO tenant
        FROM public.tenants_tenant t WHERE t.id = gone FOR UPDATE;
    place := tenant.schema_name;
    IF place IS NULL OR place !~ '^t_[a-z0-9_]{{1,60}}$' OR NOT (tenant.is_rehearsal OR tenant.status = 'closed') THEN
        RAISE EXCEPTION 'there is no closed tenant %', gone USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT tenant.is_rehearsal THEN
        SELECT c.closed_at INTO closed FROM public.privacy_closing c WHERE c.subject_kind = 'tenant'
            AND c.subject_id = gone::text AND c.undone_at IS NULL AND c.done_at IS NOT NULL;
        IF closed IS NULL OR closed > now() - interval '7 years' THEN
            RAISE EXCEPTION 'tenant % was not closed seven years ago', gone USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.privacy_hold WHERE lifted_at IS NULL)', place) INTO held;
    IF held OR EXISTS (SELECT 1 FROM public.privacy_hold h WHERE h.subject_kind = 'tenant'
                       AND h.subject_id = gone::text AND h.lifted_at IS NULL) THEN
        RAISE EXCEPTION 'a legal hold stands on tenant %', gone USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('SELECT h.seq::text AS count, encode(h.hash, ''hex'') AS hash FROM %I.audit_chainhead h', place)
        INTO head;
    IF NOT EXISTS (SELECT 1 FROM public.audit_auditevent e WHERE e.id = record_id AND e.action = 'tenant.dropped'
                   AND e.subject_id = gone::text AND e.details->>'schema' = place
                   AND e.details->>'count' = head.count AND e.details->>'hash' = head.hash) THEN
        RAISE EXCEPTION 'no event of the platform records that tenant % goes', gone USING ERRCODE = 'check_violation';
    END IF;
    IF NOT tenant.is_rehearsal THEN
        EXECUTE format('INSERT INTO public.privacy_keptconsent (id, tenant_id, purpose, given, text, how, at,'
                       ' address_mark) SELECT c.id, $1, c.purpose, c.given, w.text, c.how, c.at, c.address_mark'
                       ' FROM %I.privacy_consent c JOIN %I.privacy_consenttext w ON w.hash = c.text_id', place, place)
            USING gone;
    END IF;
    EXECUTE format('DROP SCHEMA %I CASCADE', place);
    DELETE FROM public.tenants_job WHERE schema_name = place;
    DELETE FROM public.tenants_hostproof WHERE tenant_id = gone;
    DELETE FROM public.tenants_host WHERE tenant_id = gone;
    DELETE FROM public.tenants_tenant WHERE id = gone;
    FOR shared IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    LOOP
        EXECUTE format('REVOKE ALL ON public.%I FROM %I', shared.relname, place);
    END LOOP;
    EXECUTE format('REVOKE ALL ON SCHEMA public FROM %I', place);
    EXECUTE format('DROP ROLE %I', place);
    RETURN place;
END $fn$;
REVOKE EXECUTE ON FUNCTION public.drop_tenant(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.drop_tenant(uuid, uuid) TO {public};
-- It left no trace of what it dropped.
DROP FUNCTION public.drop_closed_tenant(uuid);
"""


def build(apps, schema_editor):  # type: ignore[no-untyped-def]
    schema_editor.execute(PURGEABLE.format(money=MONEY), params=None)
    schema_editor.execute(REHEARSALS.format(public=PUBLIC_ROLE), params=None)
    schema_editor.execute(DROP.format(public=PUBLIC_ROLE), params=None)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0009_closed_tenants")]
    operations = [migrations.RunPython(build, migrations.RunPython.noop)]
