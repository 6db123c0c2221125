from pathlib import Path

from django.db import migrations, models

import billing.migrations

LEAF = max(path.stem for path in Path(billing.migrations.__path__[0]).glob("0*.py"))


class Migration(migrations.Migration):
    dependencies = [("billing", LEAF)]
    operations = [
        migrations.AddField("product", "shelf", models.IntegerField(default=0)),
        migrations.AddIndex("product", models.Index(fields=["shelf"], name="product_by_shelf")),
    ]
