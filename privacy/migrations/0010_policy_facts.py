"""A small version of the policy says no more than what people know: the facts of the one that it follows."""

from django.db import migrations

VERSION_GUARD = """
CREATE OR REPLACE FUNCTION public.policy_version_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $fn$
DECLARE
    one record;
    waiting bigint;
    known jsonb;
BEGIN
    IF TG_OP IN ('DELETE', 'TRUNCATE') THEN
        RAISE EXCEPTION 'a published version of the policy stays: % refused', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.announced_at IS NOT NULL THEN
            RAISE EXCEPTION 'nobody can have been told of a version before it is there'
                USING ERRCODE = 'check_violation';
        END IF;
        IF NOT NEW.is_substantial AND EXISTS (SELECT FROM public.privacy_policyversion) THEN
            IF EXISTS (SELECT FROM public.privacy_policyversion WHERE is_substantial AND announced_at IS NULL
                       AND effective_at >= NEW.published_at + interval '30 days') THEN
                RAISE EXCEPTION 'everybody is being told of a substantial version: a small one waits for it'
                    USING ERRCODE = 'check_violation';
            END IF;
            SELECT facts INTO known FROM public.privacy_policyversion
                WHERE (NOT is_substantial OR announced_at IS NOT NULL) AND effective_at <= NEW.effective_at
                ORDER BY effective_at DESC, number DESC LIMIT 1;
            IF known IS NULL OR NOT NEW.facts <@ known THEN
                RAISE EXCEPTION 'nobody was told of what this version says is collected, shared or kept'
                    USING ERRCODE = 'check_violation';
            END IF;
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.announced_at IS NOT NULL
        OR to_jsonb(NEW) - 'announced_at' IS DISTINCT FROM to_jsonb(OLD) - 'announced_at' THEN
        RAISE EXCEPTION 'a published version of the policy is not changed'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR one IN
        SELECT t.schema_name, r.finished_at FROM public.tenants_tenant t
        LEFT JOIN public.privacy_policyround r
            ON r.schema_name = t.schema_name AND r.version_id = NEW.id
        WHERE t.status <> 'closed' AND NOT t.is_rehearsal AND t.created_at <= NEW.published_at
    LOOP
        IF one.finished_at IS NULL THEN
            RAISE EXCEPTION 'not everybody of % was told of this version', one.schema_name
                USING ERRCODE = 'check_violation';
        END IF;
        EXECUTE format('SELECT count(*) FROM %I.privacy_policynotice WHERE version_id = $1'
                       ' AND sent_at IS NULL AND given_up_at IS NULL', one.schema_name)
            INTO waiting USING NEW.id;
        IF waiting > 0 THEN
            RAISE EXCEPTION '% people of % were not told of this version', waiting, one.schema_name
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NEW;
END $fn$;
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0009_incident_steps")]

    operations = [
        migrations.RunSQL(VERSION_GUARD, migrations.RunSQL.noop, hints={"model_name": "policyversion"})
    ]
