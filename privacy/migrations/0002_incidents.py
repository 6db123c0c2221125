"""Incidents, in the public schema: what happened, how far it reached, who was told."""

import django.contrib.postgres.fields
import django.db.models.deletion
import tenants.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Incident",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("nature", models.TextField()),
                ("found_at", models.DateTimeField()),
                ("declared_at", models.DateTimeField()),
                ("declared_by", models.CharField(max_length=254)),
                ("is_drill", models.BooleanField(default=False)),
                ("consequences", models.TextField(blank=True, default="")),
                ("measures", models.TextField(blank=True, default="")),
                ("scoped_at", models.DateTimeField(blank=True, null=True)),
                ("rotation_asked_at", models.DateTimeField(blank=True, null=True)),
                ("mail_subject", models.CharField(blank=True, default="", max_length=200)),
                ("mail_text", models.TextField(blank=True, default="")),
                ("notices_asked_at", models.DateTimeField(blank=True, null=True)),
                ("public_title", models.CharField(blank=True, default="", max_length=200)),
                ("public_text", models.TextField(blank=True, default="")),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("authority", models.CharField(blank=True, default="", max_length=200)),
                ("authority_reference", models.CharField(blank=True, default="", max_length=200)),
                ("authority_told_at", models.DateTimeField(blank=True, null=True)),
                ("authority_not_told_because", models.TextField(blank=True, default="")),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-declared_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("published_at__isnull", True),
                            models.Q(
                                models.Q(("public_title", ""), _negated=True),
                                models.Q(("public_text", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="incident_published_with_a_text",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("notices_asked_at__isnull", True),
                            models.Q(
                                models.Q(("mail_subject", ""), _negated=True),
                                models.Q(("mail_text", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="incident_notified_with_a_text",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("declared_at__gte", models.F("found_at"))),
                        name="incident_found_before_it_is_declared",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IncidentNotice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("schema_name", models.CharField(max_length=63)),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sent", "Sent"),
                            ("failed", "Not taken by the mail server"),
                            ("gone", "No address on file any more"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="privacy.incident",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["incident", "id"],
                        name="incident_notice_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("incident", "schema_name", "subject_kind", "subject_id"),
                        name="incident_notice_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state", "sent")),
                            models.Q(models.Q(("state", "sent"), _negated=True), ("sent_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="incident_notice_dated_iff_sent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IncidentRotation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("schema_name", models.CharField(max_length=63)),
                ("name", models.CharField(max_length=40)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("outcome", models.CharField(blank=True, default="", max_length=300)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rotations",
                        to="privacy.incident",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("incident", "schema_name", "name"), name="incident_rotation_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IncidentScope",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("schema_name", models.CharField(max_length=63)),
                ("subject_kind", models.CharField(max_length=20)),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=3), size=None
                    ),
                ),
                ("people", models.PositiveIntegerField()),
                ("rows", models.PositiveIntegerField()),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scopes",
                        to="privacy.incident",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("incident", "schema_name", "subject_kind"), name="incident_scope_once"
                    )
                ],
            },
        ),
    ]
