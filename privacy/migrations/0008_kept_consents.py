"""Consents outlive their tenant, in the platform's schema; and no notice of the policy goes before its time."""

import tenants.ids
from django.db import migrations, models

# The hint keeps it out of tenants' schemas, which have no such table.
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON privacy_keptconsent
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON privacy_keptconsent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""

# By the database's own clock, whatever the application's says.
NOTICES = """
CREATE FUNCTION policy_notice_stays() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    IF coalesce(OLD.sent_at, OLD.given_up_at, OLD.next_at) > now() - interval '2 years' THEN
        RAISE EXCEPTION 'that somebody was told is kept for two years' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $fn$;
CREATE TRIGGER policy_notice_stays BEFORE DELETE ON privacy_policynotice
    FOR EACH ROW EXECUTE FUNCTION policy_notice_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0007_reports_along")]

    operations = [
        migrations.CreateModel(
            name="KeptConsent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.UUIDField()),
                ("purpose", models.CharField(max_length=20)),
                ("given", models.BooleanField()),
                ("text", models.TextField()),
                ("how", models.CharField(max_length=60)),
                ("at", models.DateTimeField()),
                ("address_mark", models.CharField(max_length=64)),
            ],
            options={"indexes": [models.Index(fields=["address_mark"], name="kept_consent_by_address")]},
        ),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop, hints={"model_name": "keptconsent"}),
        migrations.RunSQL(NOTICES, migrations.RunSQL.noop),
    ]
