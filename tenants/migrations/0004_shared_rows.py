"""Shared tables that hold tenants' rows: no login is above their policies, the owner's no more than others."""

from django.db import migrations

# FORCE puts the owner under the policies as well: migrations may read and mend rows, and say so by this one.
FORCE = """
DO $do$
DECLARE secured record;
BEGIN
    FOR secured IN
        SELECT c.relname, pg_get_userbyid(c.relowner) AS owner FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relrowsecurity
    LOOP
        EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', secured.relname);
        EXECUTE format('CREATE POLICY migrations ON public.%I TO %I USING (true) WITH CHECK (true)',
                       secured.relname, secured.owner);
    END LOOP;
END $do$;
"""

# What a policy compares must be true: a host's schema is its tenant's, and neither is ever renamed.
HOLD_TOGETHER = """
ALTER TABLE public.tenants_tenant ADD CONSTRAINT tenant_with_its_schema UNIQUE (id, schema_name);
ALTER TABLE public.tenants_host ADD CONSTRAINT host_of_its_tenants_schema
    FOREIGN KEY (tenant_id, schema_name) REFERENCES public.tenants_tenant (id, schema_name);
CREATE FUNCTION public.keep_schema_name() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $fn$
BEGIN
    RAISE EXCEPTION 'a row stays with its tenant: schema_name is never changed'
        USING ERRCODE = 'insufficient_privilege';
END $fn$;
"""
KEEP = """
CREATE TRIGGER keep_schema_name BEFORE UPDATE OF schema_name ON public.{table}
    FOR EACH ROW WHEN (OLD.schema_name <> NEW.schema_name) EXECUTE FUNCTION public.keep_schema_name();
"""


def secure(apps, schema_editor):  # type: ignore[no-untyped-def]
    tables = ("tenants_tenant", "tenants_host", "tenants_job")
    for part in (FORCE, HOLD_TOGETHER, *(KEEP.format(table=table) for table in tables)):
        schema_editor.execute(part, params=None)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_blueprint")]
    operations = [migrations.RunPython(secure, migrations.RunPython.noop)]
