"""A key for each person whose data is sealed. The database refuses to lose or to revive one."""

import django.db.models.functions.datetime
from django.db import migrations, models

import vault.models.keys

GUARDS = """
CREATE FUNCTION vault_keep_subject_key() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.destroyed_at IS NULL AND (OLD.id, OLD.kind, OLD.subject_id, OLD.created_at)
        IS NOT DISTINCT FROM (NEW.id, NEW.kind, NEW.subject_id, NEW.created_at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a subject key is never deleted, moved or revived: only its wrapping changes, until it is destroyed'
        USING ERRCODE = 'insufficient_privilege';
END $fn$;
CREATE TRIGGER keep_subject_keys BEFORE UPDATE OR DELETE ON vault_subjectkey
    FOR EACH ROW EXECUTE FUNCTION vault_keep_subject_key();
"""


class Migration(migrations.Migration):
    dependencies = [("vault", "0002_guards")]
    operations = [
        migrations.CreateModel(
            name="SubjectKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vault.models.keys.new_key_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(editable=False, max_length=32)),
                ("subject_id", models.CharField(editable=False, max_length=64)),
                ("kek_version", models.CharField(editable=False, max_length=64)),
                ("wrapped", models.BinaryField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("destroyed_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "subject_id"), name="one_key_a_subject"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("destroyed_at__isnull", False), ("wrapped__isnull", True)),
                            models.Q(("destroyed_at__isnull", True), ("wrapped__isnull", False)),
                            _connector="OR",
                        ),
                        name="destroyed_without_key",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
    ]
