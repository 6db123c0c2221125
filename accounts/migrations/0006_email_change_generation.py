"""A wish for another address goes void with the other mailed links: when its user's generation is raised."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_password_to_prove")]
    operations = [
        migrations.AddField(
            model_name="emailchange",
            name="link_generation",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
