"""A mark on users whose password may be too short to stand alone: second factors were taken from beside it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_permissions")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="password_may_be_short",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
