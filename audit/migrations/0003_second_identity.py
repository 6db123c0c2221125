"""Who of the platform's staff stood behind an actor: empty for all events so far, whose hashes stay good."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_guards")]
    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="behind_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="behind_label",
            field=models.CharField(blank=True, db_default="", default="", max_length=254),
        ),
    ]
