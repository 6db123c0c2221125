"""Payments that were given up without Stripe's word: by which account it is still to be told."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0008_closed_accounts")]
    operations = [
        migrations.AddField(
            "payment",
            "unanswered_by",
            models.CharField(blank=True, db_default="", default="", max_length=70),
        ),
        migrations.AddIndex(
            "payment",
            models.Index(
                fields=["invoice"], condition=~models.Q(unanswered_by=""), name="payment_unanswered"
            ),
        ),
    ]
