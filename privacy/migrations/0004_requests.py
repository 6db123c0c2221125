"""Requests about personal data, disclosures to authorities, reports of children: on the platform only."""

import django.db.models.deletion
import tenants.ids
import vault.fields
from django.db import migrations, models

# The hint keeps it out of tenants' schemas, which have no such table.
GUARDS = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON privacy_disclosure
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON privacy_disclosure
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0003_policy"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("received_at", models.DateTimeField()),
                (
                    "channel",
                    models.CharField(
                        choices=[("mail", "E-mail"), ("letter", "Letter"), ("phone", "Telephone")],
                        max_length=10,
                    ),
                ),
                ("law", models.CharField(choices=[("gdpr", "GDPR"), ("ccpa", "CCPA")], max_length=4)),
                (
                    "right",
                    models.CharField(
                        choices=[
                            ("access", "See what is held"),
                            ("correct", "Correct"),
                            ("delete", "Delete"),
                            ("port", "Take along"),
                            ("object", "Object"),
                            ("restrict", "Restrict"),
                            ("complain", "Complain"),
                            ("opt_out", "Opt out of sale"),
                            ("under_16", "Under 16"),
                            ("unclear", "Unclear"),
                        ],
                        max_length=10,
                    ),
                ),
                ("address", models.CharField(max_length=320)),
                ("is_authentic", models.BooleanField(default=False)),
                ("verdict", models.CharField(max_length=300)),
                ("message", vault.fields.EncryptedTextField()),
                ("was_cut", models.BooleanField(default=False)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("due_on", models.DateField()),
                ("acknowledge_by", models.DateField(blank=True, null=True)),
                ("acknowledged_at", models.DateTimeField(blank=True, null=True)),
                ("extended_until", models.DateField(blank=True, null=True)),
                ("extended_because", models.CharField(blank=True, default="", max_length=500)),
                ("link_mark", models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ("link_mailed_at", models.DateTimeField(blank=True, null=True)),
                ("link_expires_at", models.DateTimeField(blank=True, null=True)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("assigned_id", models.CharField(blank=True, default="", max_length=64)),
                ("assigned_to", models.CharField(blank=True, default="", max_length=254)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New: look at it"),
                            ("linked", "Waits to be confirmed"),
                            ("confirmed", "Confirmed by the person"),
                            ("answered", "Answered"),
                            ("dismissed", "No request"),
                        ],
                        max_length=10,
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_because", models.CharField(blank=True, default="", max_length=500)),
                ("reminded", models.CharField(blank=True, default="", max_length=20)),
            ],
            options={
                "verbose_name": "request about personal data",
                "verbose_name_plural": "requests about personal data",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["new", "linked", "confirmed"])),
                        fields=["due_on"],
                        name="data_request_open",
                    ),
                    models.Index(fields=["address", "received_at"], name="data_request_by_address"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("state__in", ["answered", "dismissed"])),
                            models.Q(
                                models.Q(("state__in", ["answered", "dismissed"]), _negated=True),
                                ("closed_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="data_request_closed_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("extended_because", ""), ("extended_until__isnull", True)),
                            models.Q(
                                ("extended_until__gt", models.F("due_on")),
                                models.Q(("extended_because", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="data_request_extended_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Disclosure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("authority", models.CharField(max_length=200)),
                ("reference", models.CharField(max_length=100)),
                ("basis", models.CharField(max_length=500)),
                ("received_on", models.DateField()),
                ("about", models.CharField(max_length=500)),
                ("disclosed", models.TextField()),
                ("file_name", models.CharField(max_length=200)),
                ("file_sha256", models.CharField(max_length=64)),
                ("decided_id", models.CharField(max_length=64)),
                ("decided_by", models.CharField(max_length=254)),
                ("disclosed_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "disclosure to an authority",
                "verbose_name_plural": "disclosures to authorities",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("authority", ""), _negated=True),
                            models.Q(("reference", ""), _negated=True),
                            models.Q(("basis", ""), _negated=True),
                            models.Q(("disclosed", ""), _negated=True),
                            models.Q(("about", ""), _negated=True),
                        ),
                        name="disclosure_says_who_and_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("file_sha256__regex", "^[0-9a-f]{64}$")),
                        name="disclosure_names_its_file",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReceivedMail",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("uid_validity", models.BigIntegerField()),
                ("uid", models.BigIntegerField()),
                ("mark", models.CharField(max_length=64, unique=True)),
                ("received_at", models.DateTimeField()),
                ("sender", models.CharField(blank=True, default="", max_length=320)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("request", "In the queue"),
                            ("automatic", "Written by a machine: not answered"),
                        ],
                        max_length=10,
                    ),
                ),
                ("why", models.CharField(blank=True, default="", max_length=200)),
                (
                    "request",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mail",
                        to="privacy.datarequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "message in the mailbox",
                "verbose_name_plural": "messages in the mailbox",
                "indexes": [models.Index(fields=["uid_validity", "uid"], name="received_mail_by_place")],
            },
        ),
        migrations.CreateModel(
            name="Reply",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("text", vault.fields.EncryptedTextField()),
                ("is_final", models.BooleanField()),
                ("written_id", models.CharField(max_length=64)),
                ("written_by", models.CharField(max_length=254)),
                ("written_at", models.DateTimeField()),
                ("sent_to", models.CharField(max_length=320)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="privacy.datarequest",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["written_at"], name="reply_by_age")],
            },
        ),
        migrations.CreateModel(
            name="RequestSubject",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.CharField(max_length=64)),
                ("schema_name", models.CharField(max_length=63)),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subjects",
                        to="privacy.datarequest",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("request", "schema_name", "subject_kind", "subject_id"),
                        name="request_subject_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UnderageReport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.CharField(max_length=64)),
                ("schema_name", models.CharField(max_length=63)),
                ("ground", vault.fields.EncryptedTextField()),
                ("reported_by", models.CharField(max_length=254)),
                ("reported_at", models.DateTimeField()),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("erase", "Erase"), ("free", "Not a child: let go on")],
                        default="",
                        max_length=5,
                    ),
                ),
                ("decided_by", models.CharField(blank=True, default="", max_length=254)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_because", models.CharField(blank=True, default="", max_length=500)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                ("shut_out", models.JSONField(blank=True, default=list)),
                (
                    "request",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reports",
                        to="privacy.datarequest",
                    ),
                ),
            ],
            options={
                "verbose_name": "report of a child",
                "verbose_name_plural": "reports of children",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("decided_at__isnull", True)),
                        fields=("schema_name", "subject_kind", "subject_id"),
                        name="underage_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by", ""),
                                ("decision", ""),
                                ("erased_at__isnull", True),
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                models.Q(("decision", ""), _negated=True),
                                models.Q(("decided_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="underage_decided_by_somebody",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop, hints={"model_name": "disclosure"}),
    ]
