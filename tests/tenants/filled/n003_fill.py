from django.db import migrations


def fill(apps, schema_editor):  # type: ignore[no-untyped-def]
    for product in apps.get_model("billing", "Product").objects.order_by("code"):
        if product.name == "spoiled":
            raise ValueError("this product has no shelf")
        product.shelf = len(product.name)
        product.save(update_fields=["shelf"])
    apps.get_model("billing", "Shelf").objects.create(name="first")


class Migration(migrations.Migration):
    dependencies = [("billing", "n002_shelves")]
    operations = [migrations.RunPython(fill)]
