# Secrets sealed by the vault's own field; how far events are swept; why a customer's autopay rests.

from django.db import migrations, models

import vault.fields


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_guards")]

    operations = [
        migrations.AddField(
            model_name="paymentprofile",
            name="paused_reason",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
        migrations.AddField(
            model_name="stripeconnection",
            name="swept_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="stripeconnection",
            name="sealed_key",
            field=vault.fields.EncryptedTextField(null=True),
        ),
        migrations.AlterField(
            model_name="stripeconnection",
            name="sealed_webhook_secret",
            field=vault.fields.EncryptedTextField(null=True),
        ),
    ]
