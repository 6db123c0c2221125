"""The script that new tenants are made by, the function that runs it, and nobody but the owner may touch either."""

from django.conf import settings
from django.db import migrations, models

from tenants.postgresql.base import PUBLIC_ROLE

PROVISION = """
CREATE OR REPLACE FUNCTION public.provision_schema(tenant_schema text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $fn$
DECLARE script text;
BEGIN
    IF tenant_schema !~ '^t_[a-z0-9_]{{1,60}}$' THEN
        RAISE EXCEPTION 'not a tenant schema name: %', tenant_schema USING ERRCODE = 'invalid_schema_name';
    END IF;
    -- Shared: a migration that renews the script waits for us, and then finds this schema among the tenants.
    SELECT sql INTO script FROM public.tenants_blueprint FOR SHARE;
    IF script IS NULL THEN
        RAISE EXCEPTION 'there is no blueprint yet: run migrate' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('CREATE SCHEMA %I', tenant_schema);
    BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', tenant_schema);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    EXECUTE format('GRANT %I TO %I', tenant_schema, '{app}');
    PERFORM set_config('search_path', format('%I, public', tenant_schema), true);
    EXECUTE replace(script, '__schema__', tenant_schema);
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', tenant_schema);
    EXECUTE format('GRANT SELECT ON public.tenants_tenant, public.tenants_host TO %I', tenant_schema);
    EXECUTE format('GRANT UPDATE (next_run_at, name, country, time_zone, currency, locale, rehearsal_now)'
                   ' ON public.tenants_tenant TO %I', tenant_schema);
    EXECUTE format('GRANT SELECT, INSERT ON public.tenants_job TO %I', tenant_schema);
    EXECUTE format('GRANT UPDATE (state, attempts, run_at, leased_until, published_at, last_error, done_at)'
                   ' ON public.tenants_job TO %I', tenant_schema);
END $fn$;
REVOKE EXECUTE ON FUNCTION public.provision_schema(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.provision_schema(text) TO {public};
"""

# What stands in these tables is run as the owner: who may write there may do anything.
OWNER_ONLY = """
REVOKE ALL ON public.tenants_blueprint, public.tenants_migrationstep, public.django_migrations FROM {public};
GRANT SELECT ON public.django_migrations TO {public};
"""


def build(apps, schema_editor):  # type: ignore[no-untyped-def]
    words = {"public": PUBLIC_ROLE, "app": settings.DATABASES["default"]["USER"]}
    for part in (PROVISION, OWNER_ONLY):
        schema_editor.execute(part.format(**words), params=None)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_walls")]
    operations = [
        migrations.CreateModel(
            name="Blueprint",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("steps", models.PositiveIntegerField()),
                ("sql", models.TextField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_blueprint")],
            },
        ),
        migrations.RunPython(build, migrations.RunPython.noop),
    ]
