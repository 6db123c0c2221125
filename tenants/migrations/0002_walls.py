"""Roles, grants and row-level security."""

from django.conf import settings
from django.db import migrations

from tenants.postgresql.base import PUBLIC_ROLE

ROLES = """
DO $do$ BEGIN
    CREATE ROLE {public} NOLOGIN;
EXCEPTION WHEN duplicate_object THEN NULL; END $do$;
DO $do$ BEGIN
    EXECUTE format('GRANT {public} TO %I', '{app}');
EXCEPTION WHEN unique_violation THEN NULL; END $do$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {public};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {public};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {public};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {public};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {public};
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
"""

ROW_LEVEL_SECURITY = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY platform ON {table} TO {public} USING (true) WITH CHECK (true);
CREATE POLICY own_rows ON {table} USING (schema_name = current_user) WITH CHECK (schema_name = current_user);
"""

# A tenant's role may do what rules need in its own schema, and no more than read itself and enqueue in ours.
GRANT_TENANT = """
CREATE FUNCTION public.grant_tenant(tenant_schema text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $fn$
DECLARE guarded record;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %1$I TO %1$I', tenant_schema);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %1$I TO %1$I', tenant_schema);
    EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %1$I TO %1$I', tenant_schema);
    EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %1$I TO %1$I', tenant_schema);
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %1$I.django_migrations FROM %1$I', tenant_schema);
    FOR guarded IN
        SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = tenant_schema AND t.tgname LIKE 'append\\_only%'
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %1$I.%2$I FROM %1$I', tenant_schema, guarded.relname);
    END LOOP;
END $fn$;
REVOKE EXECUTE ON FUNCTION public.grant_tenant(text) FROM PUBLIC;
"""


def build_walls(apps, schema_editor):  # type: ignore[no-untyped-def]
    words = {"public": PUBLIC_ROLE, "app": settings.DATABASES["default"]["USER"]}
    tables = ("tenants_tenant", "tenants_host", "tenants_job")
    parts = [
        ROLES.format(**words),
        *(ROW_LEVEL_SECURITY.format(table=table, **words) for table in tables),
        GRANT_TENANT,
    ]
    for part in parts:
        schema_editor.execute(part, params=None)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [migrations.RunPython(build_walls, migrations.RunPython.noop)]
