"""When a person lifted what a dispute had paused, so that the end of another one does not bring it back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_lines_lock")]
    operations = [
        migrations.AddField("dispute", "customer_resumed_at", models.DateTimeField(null=True)),
        migrations.AddField("dispute", "invoice_resumed_at", models.DateTimeField(null=True)),
    ]
