"""Permissions of contacts, four roles of the tenant's own people, invitations that are withdrawn, and visits.

Whoever was a contact goes on doing everything, the first of each customer as its owner; staff go on as billing.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import tenants.ids
from django.conf import settings
from django.db import migrations, models


FORWARD = """
UPDATE accounts_user SET role = 'billing' WHERE role = 'staff';
UPDATE accounts_invitation SET role = 'billing' WHERE role = 'staff';
UPDATE accounts_contact SET permissions = ARRAY['cards', 'contacts', 'details', 'domains', 'invoices', 'pay',
    'privacy', 'services', 'tickets'];
UPDATE accounts_contact SET is_owner = true WHERE id IN (
    SELECT DISTINCT ON (customer_id) id FROM accounts_contact ORDER BY customer_id, created_at, id);
UPDATE accounts_invitation SET is_owner = true WHERE role = 'contact' AND accepted_at IS NULL;
"""
BACK = """
UPDATE accounts_user SET role = 'staff' WHERE role = 'billing';
UPDATE accounts_invitation SET role = 'staff' WHERE role = 'billing';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_sessions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Visit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("staff_id", models.UUIDField()),
                ("staff_label", models.CharField(max_length=254)),
                ("reason", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField()),
                ("begun_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="contact",
            name="is_owner",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="contact",
            name="permissions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=12), blank=True, db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="invited_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="is_owner",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="invitation",
            name="permissions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=12), blank=True, db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="role",
            field=models.CharField(
                choices=[
                    ("owner", "Owner"),
                    ("billing", "Billing"),
                    ("support", "Support"),
                    ("read_only", "Read-only"),
                    ("contact", "Contact"),
                    ("platform", "Platform staff"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="user",
            name="role",
            field=models.CharField(
                choices=[
                    ("owner", "Owner"),
                    ("billing", "Billing"),
                    ("support", "Support"),
                    ("read_only", "Read-only"),
                    ("contact", "Contact"),
                    ("platform", "Platform staff"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "permissions__contained_by",
                        [
                            "cards",
                            "contacts",
                            "details",
                            "domains",
                            "invoices",
                            "pay",
                            "privacy",
                            "services",
                            "tickets",
                        ],
                    )
                ),
                name="contact_permissions_are_known",
            ),
        ),
        migrations.AddField(
            model_name="visit",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="visits",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="visit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("begun_at__isnull", True), ("ends_at__isnull", True)),
                    ("ends_at__gt", models.F("begun_at")),
                    _connector="OR",
                ),
                name="visit_ends_when_it_begins_to",
            ),
        ),
        migrations.RunSQL(FORWARD, BACK),
    ]
