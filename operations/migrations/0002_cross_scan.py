"""A kind of alert more, in words only: nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
                choices=[
                    ("burst", "Burst of requests"),
                    ("scan", "Scan for weak spots"),
                    ("cross_scan", "Scan for weak spots, said to be another site's doing"),
                    ("spraying", "Log-ins tried at many accounts"),
                    ("one_account", "Log-ins tried at one account from many networks"),
                ],
                max_length=12,
            ),
        )
    ]
