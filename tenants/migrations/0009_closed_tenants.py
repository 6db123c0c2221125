"""A workspace that was closed seven years ago goes: its schema with all keys in it, its role, its rows."""

from django.db import migrations

from tenants.postgresql.base import PUBLIC_ROLE

# It looks for itself whether the time has come, by the database's own clock, and whether a legal hold stands.
DROP = """
CREATE FUNCTION public.drop_closed_tenant(gone uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $fn$
DECLARE place text; closed timestamptz; held boolean; shared record;
BEGIN
    SELECT t.schema_name INTO place FROM public.tenants_tenant t WHERE t.id = gone AND t.status = 'closed' FOR UPDATE;
    IF place IS NULL OR place !~ '^t_[a-z0-9_]{{1,60}}$' THEN
        RAISE EXCEPTION 'there is no closed tenant %', gone USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT c.closed_at INTO closed FROM public.privacy_closing c WHERE c.subject_kind = 'tenant'
        AND c.subject_id = gone::text AND c.undone_at IS NULL AND c.done_at IS NOT NULL;
    IF closed IS NULL OR closed > now() - interval '7 years' THEN
        RAISE EXCEPTION 'tenant % was not closed seven years ago', gone USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.privacy_hold WHERE lifted_at IS NULL)', place) INTO held;
    IF held OR EXISTS (SELECT 1 FROM public.privacy_hold h WHERE h.subject_kind = 'tenant'
                       AND h.subject_id = gone::text AND h.lifted_at IS NULL) THEN
        RAISE EXCEPTION 'a legal hold stands on tenant %', gone USING ERRCODE = 'insufficient_privilege';
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
REVOKE EXECUTE ON FUNCTION public.drop_closed_tenant(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.drop_closed_tenant(uuid) TO {public};
"""


def build(apps, schema_editor):  # type: ignore[no-untyped-def]
    schema_editor.execute(DROP.format(public=PUBLIC_ROLE), params=None)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0008_audit_purge")]
    operations = [migrations.RunPython(build, migrations.RunPython.noop)]
