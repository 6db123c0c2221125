"""Finds whether a schema holds imported password hashes, without reading all its users."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_email_change_generation")]
    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                fields=["id"],
                condition=models.Q(password__startswith="bcrypt$"),
                name="user_imported_hash",
            ),
        ),
    ]
