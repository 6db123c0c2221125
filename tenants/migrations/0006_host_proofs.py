"""Claims to hostnames of tenants' own. Only the platform's role reads and writes them; tenants have no right there."""

import django.db.models.deletion
from django.db import migrations, models

import tenants.ids
from tenants.postgresql.base import PUBLIC_ROLE

WALL = """
ALTER TABLE tenants_hostproof ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants_hostproof FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON tenants_hostproof TO {public} USING (true) WITH CHECK (true);
CREATE POLICY migrations ON tenants_hostproof TO CURRENT_USER USING (true) WITH CHECK (true);
ALTER TABLE tenants_hostproof ADD CONSTRAINT host_proof_of_its_tenants_schema
    FOREIGN KEY (tenant_id, schema_name) REFERENCES public.tenants_tenant (id, schema_name);
CREATE TRIGGER keep_schema_name BEFORE UPDATE OF schema_name ON tenants_hostproof
    FOR EACH ROW WHEN (OLD.schema_name <> NEW.schema_name) EXECUTE FUNCTION public.keep_schema_name();
"""


def build_wall(apps, schema_editor):  # type: ignore[no-untyped-def]
    schema_editor.execute(WALL.format(public=PUBLIC_ROLE), params=None)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_throttle")]
    operations = [
        migrations.CreateModel(
            name="HostProof",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hostname", models.CharField(max_length=253)),
                ("schema_name", models.CharField(editable=False, max_length=63)),
                ("token", models.CharField(editable=False, max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("idle", "Not found"), ("proven", "Proven")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("method", models.CharField(blank=True, default="", max_length=4)),
                ("looks", models.PositiveSmallIntegerField(default=0)),
                ("problem", models.CharField(blank=True, default="", max_length=300)),
                ("created_at", models.DateTimeField()),
                ("asked_at", models.DateTimeField()),
                ("looked_at", models.DateTimeField(blank=True, null=True)),
                ("proven_at", models.DateTimeField(blank=True, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "hostname"), name="host_proof_once_a_tenant"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proven")),
                        fields=("hostname",),
                        name="host_proven_by_one_tenant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hostname__regex", "^[a-z0-9.-]+$")),
                        name="host_proof_is_a_lower_case_hostname",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("proven_at__isnull", False), ("state", "proven")),
                            models.Q(
                                models.Q(("state", "proven"), _negated=True), ("proven_at__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="host_proof_dated_iff_proven",
                    ),
                ],
            },
        ),
        migrations.RunPython(build_wall, migrations.RunPython.noop),
    ]
