from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "n001_shelf")]
    operations = [
        migrations.CreateModel(
            "Shelf",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=80, unique=True)),
            ],
        ),
    ]
