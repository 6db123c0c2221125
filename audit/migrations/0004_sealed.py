"""What is personal in an event stands sealed from now on; signed checkpoints; links of purged events.

Events so far stay as they are, in format 1: an append-only record cannot be rewritten. Format 2 begins with the
next event.
"""

import django.db.models.deletion
from django.db import migrations, models

# An event leaves only by the owner's purge (tenants/migrations), which says so and keeps its link.
GUARDS = """
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_auditevent'
       AND coalesce(current_setting('audit.purging', true), '') <> ''
       AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
    THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $fn$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_purgedlink
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_purgedlink
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""

# Of the platform only, whose schema alone has these tables.
PLATFORM_GUARDS = """
DO $do$ BEGIN
IF to_regclass('audit_checkpoint') IS NOT NULL AND current_schema() = 'public' THEN
    CREATE FUNCTION audit_keep_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $fn$
    BEGIN
        IF TG_OP = 'UPDATE' AND OLD.stored_at IS NULL
           AND (OLD.number, OLD.at, OLD.document, OLD.signature, OLD.hash)
               IS NOT DISTINCT FROM (NEW.number, NEW.at, NEW.document, NEW.signature, NEW.hash)
        THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'a checkpoint is never changed: only that it was stored is noted, once'
            USING ERRCODE = 'insufficient_privilege';
    END $fn$;
    CREATE TRIGGER keep_checkpoints BEFORE UPDATE OR DELETE ON audit_checkpoint
        FOR EACH ROW EXECUTE FUNCTION audit_keep_checkpoint();
    CREATE TRIGGER keep_checkpoints_truncate BEFORE TRUNCATE ON audit_checkpoint
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_anchor
        FOR EACH ROW EXECUTE FUNCTION audit_refuse();
    CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_anchor
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
END IF;
END $do$;
"""


def _column(name: str, field: models.Field) -> migrations.AddField:  # type: ignore[type-arg]
    return migrations.AddField("auditevent", name, field)


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_second_identity"), ("vault", "0003_subject_keys")]
    operations = [
        _column("format", models.SmallIntegerField(db_default=1, default=1)),
        _column("actor_sealed", models.BinaryField(null=True)),
        _column("behind_sealed", models.BinaryField(null=True)),
        _column("details_sealed", models.BinaryField(null=True)),
        _column("about", models.CharField(blank=True, db_default="", default="", max_length=97)),
        migrations.AddField("chainhead", "purged", models.BigIntegerField(db_default=0, default=0)),
        migrations.CreateModel(
            name="PurgedLink",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("prev_hash", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
                ("record_id", models.UUIDField()),
            ],
        ),
        migrations.CreateModel(
            name="ChainCheck",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("seq", models.BigIntegerField()),
                ("problem", models.TextField(blank=True, default="")),
                ("told_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="one_check_a_schema")
                ],
            },
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("document", models.TextField()),
                ("signature", models.BinaryField(max_length=64)),
                ("hash", models.BinaryField(max_length=32)),
                ("stored_at", models.DateTimeField(null=True)),
            ],
            options={"ordering": ["number"]},
        ),
        migrations.CreateModel(
            name="Anchor",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("schema_name", models.CharField(max_length=63)),
                ("seq", models.BigIntegerField()),
                ("hash", models.BinaryField(max_length=32)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="anchors",
                        to="audit.checkpoint",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["schema_name", "seq"], name="audit_anchor_place")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("schema_name", "checkpoint"), name="one_anchor_a_checkpoint"
                    )
                ],
            },
        ),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.RunSQL(PLATFORM_GUARDS, migrations.RunSQL.noop),
    ]
