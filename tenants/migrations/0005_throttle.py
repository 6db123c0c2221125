"""Attempts that are counted while the cache is away: not logged, so in no backup and gone after a crash."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_shared_rows")]
    operations = [
        migrations.CreateModel(
            name="Throttle",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                (
                    "hits",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="throttle_expiry")],
            },
        ),
        migrations.RunSQL("ALTER TABLE public.tenants_throttle SET UNLOGGED", migrations.RunSQL.noop),
    ]
