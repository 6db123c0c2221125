import uuid

from django.db import migrations, models

import vault.fields


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Paper",
            [
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("first", vault.fields.EncryptedTextField()),
                ("second", vault.fields.EncryptedTextField(null=True)),
                ("saves", models.IntegerField(default=0)),
            ],
        ),
    ]
