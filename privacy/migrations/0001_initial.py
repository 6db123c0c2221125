"""Consent, restriction and legal hold. What was consented to is never changed."""

import django.db.models.deletion
import tenants.ids
from django.db import migrations, models


GUARDS = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON privacy_consent
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON privacy_consent
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON privacy_consenttext
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON privacy_consenttext
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("audit", "0002_guards")]

    operations = [
        migrations.CreateModel(
            name="ConsentText",
            fields=[
                ("hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("purpose", models.CharField(max_length=20)),
                ("text", models.TextField()),
                ("since", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=500)),
                ("placed_by", models.CharField(max_length=254)),
                ("placed_at", models.DateTimeField()),
                ("review_on", models.DateField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                ("lifted_because", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=["subject_kind", "subject_id"],
                        name="hold_in_force",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Restriction",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=500)),
                ("asked_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                ("lifted_because", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at__isnull", True)),
                        fields=("subject_kind", "subject_id"),
                        name="restriction_one_in_force",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.CharField(max_length=64)),
                (
                    "purpose",
                    models.CharField(choices=[("marketing", "News and offers by mail")], max_length=20),
                ),
                ("given", models.BooleanField()),
                ("how", models.CharField(max_length=60)),
                ("at", models.DateTimeField()),
                ("address_mark", models.CharField(max_length=64)),
                ("sealed", models.BinaryField()),
                (
                    "text",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="privacy.consenttext",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subject_id", "purpose", "at"], name="consent_by_subject"),
                    models.Index(fields=["address_mark"], name="consent_by_address"),
                ],
            },
        ),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
    ]
