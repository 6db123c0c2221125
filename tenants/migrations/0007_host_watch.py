"""Since when a proven host is not shown to be its tenant's any more, and that its owners know."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0006_host_proofs")]
    operations = [
        migrations.AddField(
            model_name="hostproof",
            name="missing_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="hostproof",
            name="told_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
