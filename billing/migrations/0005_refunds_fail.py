"""A refund that the bank does not take after all comes back; the day is kept."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_lines_stay")]
    operations = [
        migrations.AddField("refund", "failed_at", models.DateTimeField(null=True)),
    ]
