"""Closings and erasures. From when seven years count is the present when it is written, and stays."""

import tenants.ids
from django.db import migrations, models


GUARD = """
CREATE FUNCTION privacy_closing_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $fn$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.closed_at < now() - interval '1 day' THEN
            RAISE EXCEPTION 'an account is closed now, not in the past' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.subject_kind, NEW.subject_id, NEW.closed_at) IS DISTINCT FROM
       (OLD.subject_kind, OLD.subject_id, OLD.closed_at) OR (OLD.undone_at IS NOT NULL AND NEW.undone_at IS NULL) THEN
        RAISE EXCEPTION 'when an account was closed never changes' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $fn$;
CREATE TRIGGER closing_guard BEFORE INSERT OR UPDATE ON privacy_closing
    FOR EACH ROW EXECUTE FUNCTION privacy_closing_guard();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0005_exports"),
    ]

    operations = [
        migrations.CreateModel(
            name="Closing",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.CharField(max_length=64)),
                ("closed_at", models.DateTimeField()),
                ("final_at", models.DateTimeField()),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("ended", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at__isnull", True)),
                        fields=("subject_kind", "subject_id"),
                        name="closing_one_in_force",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("undone_at__isnull", True), ("done_at__isnull", True), _connector="OR"
                        ),
                        name="closing_ends_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Erasure",
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
                    "because",
                    models.CharField(
                        choices=[
                            ("asked", "The person asked"),
                            ("closed", "The account was closed 30 days ago"),
                            ("child", "They are under 16"),
                            ("replayed", "Erased before; a restore had brought it back"),
                        ],
                        max_length=8,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("plan", models.JSONField(default=dict)),
                ("steps", models.JSONField(default=list)),
                ("report", models.JSONField(default=dict)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["subject_kind", "subject_id"], name="erasure_by_subject")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("done_at__isnull", True)),
                        fields=("subject_kind", "subject_id"),
                        name="erasure_one_at_a_time",
                    )
                ],
            },
        ),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
