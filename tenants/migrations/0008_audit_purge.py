"""The only way in which events leave the audit record: old, unheld, unbooked ones, of which the links stay.

Owned by the owner of the tables, callable by the platform alone. The app's own roles can delete nothing.
"""

from django.db import migrations

from tenants.postgresql.base import PUBLIC_ROLE

MONEY = "^(invoice|payment|refund|dispute|fee|tax_rate)\\."

# What may go at an instant: whatever the caller says, by this server's clock and by what a checkpoint has seen.
PURGEABLE = """
CREATE FUNCTION public.audit_purgeable(tenant_schema text, as_of timestamptz)
RETURNS TABLE (seq bigint, prev_hash bytea, hash bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $fn$
DECLARE
    seen bigint;
    held text := 'false';
    booked text := 'false';
BEGIN
    IF tenant_schema <> 'public' AND tenant_schema !~ '^t_[a-z0-9_]{{1,60}}$' THEN
        RAISE EXCEPTION 'not a tenant schema name: %', tenant_schema USING ERRCODE = 'invalid_schema_name';
    END IF;
    -- Not now(), which is when the transaction began: the caller reads its own clock, and later.
    IF as_of > clock_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'events are purged as of an instant that has come' USING ERRCODE = 'check_violation';
    END IF;
    SELECT max(a.seq) INTO seen FROM public.audit_anchor a
        WHERE a.schema_name = tenant_schema AND a.at <= as_of - interval '24 months';
    IF seen IS NULL THEN
        RETURN;
    END IF;
    IF to_regclass(format('%I.privacy_hold', tenant_schema)) IS NOT NULL THEN
        held := format(
            'EXISTS (SELECT FROM %I.privacy_hold h WHERE h.lifted_at IS NULL AND'
            ' ((h.subject_kind = e.subject_kind AND h.subject_id = e.subject_id)'
            ' OR (h.subject_kind = e.actor_kind AND h.subject_id = e.actor_id)'
            ' OR h.subject_kind || '':'' || h.subject_id = e.about))', tenant_schema);
    END IF;
    IF to_regclass(format('%I.billing_journalentry', tenant_schema)) IS NOT NULL THEN
        booked := format(
            'EXISTS (SELECT FROM %I.billing_journalentry j WHERE j.audit_event_id = e.id)', tenant_schema);
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT e.seq, e.prev_hash, e.hash FROM %I.audit_auditevent e WHERE e.seq <= $1 AND e.action <> $2'
        ' AND e.at <= $3 - CASE WHEN e.action ~ $4 THEN interval ''84 months'' ELSE interval ''24 months'' END'
        ' AND NOT (' || held || ') AND NOT (' || booked || ') ORDER BY e.seq', tenant_schema)
        USING seen, 'audit.purged', as_of, '{money}';
END $fn$;
"""

PURGE = """
CREATE FUNCTION public.audit_purge(tenant_schema text, as_of timestamptz, record_id uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $fn$
DECLARE
    told jsonb;
    old record;
    gone bigint;
BEGIN
    -- Asked first: it refuses a name that is none of ours.
    SELECT count(*) AS count, coalesce(max(p.seq), 0) AS last,
           encode(sha256(coalesce(string_agg(p.hash, ''::bytea ORDER BY p.seq), ''::bytea)), 'hex') AS digest
        INTO old FROM public.audit_purgeable(tenant_schema, as_of) p;
    EXECUTE format('SELECT details FROM %I.audit_auditevent WHERE id = $1 AND action = $2', tenant_schema)
        INTO told USING record_id, 'audit.purged';
    IF told IS NULL OR old.count = 0
       OR (told->>'count', told->>'last', told->>'digest')
          IS DISTINCT FROM (old.count::text, old.last::text, old.digest)
    THEN
        RAISE EXCEPTION 'no event of the chain records this purge' USING ERRCODE = 'check_violation';
    END IF;
    EXECUTE format('INSERT INTO %I.audit_purgedlink (seq, prev_hash, hash, record_id)'
                   ' SELECT p.seq, p.prev_hash, p.hash, $3 FROM public.audit_purgeable($1, $2) p', tenant_schema)
        USING tenant_schema, as_of, record_id;
    PERFORM set_config('audit.purging', record_id::text, true);
    EXECUTE format('DELETE FROM %I.audit_auditevent e USING %I.audit_purgedlink p'
                   ' WHERE p.seq = e.seq AND p.record_id = $1', tenant_schema, tenant_schema) USING record_id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    PERFORM set_config('audit.purging', '', true);
    EXECUTE format('UPDATE %I.audit_chainhead SET purged = purged + $1', tenant_schema) USING gone;
    RETURN gone;
END $fn$;
REVOKE EXECUTE ON FUNCTION public.audit_purgeable(text, timestamptz) FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION public.audit_purge(text, timestamptz, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.audit_purgeable(text, timestamptz) TO {public};
GRANT EXECUTE ON FUNCTION public.audit_purge(text, timestamptz, uuid) TO {public};
"""


def build(apps, schema_editor):  # type: ignore[no-untyped-def]
    schema_editor.execute(PURGEABLE.format(money=MONEY), params=None)
    schema_editor.execute(PURGE.format(public=PUBLIC_ROLE), params=None)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_host_watch")]
    operations = [migrations.RunPython(build, migrations.RunPython.noop)]
