"""What every tenant schema is made of: the SQL of each tenant migration, recorded once."""

from django.db import models


class MigrationStep(models.Model):
    """One tenant migration as SQL, replayed for new tenants and over the existing ones.

    `has_python` marks a data migration: over existing tenants it runs as Python, a tenant at a time.
    """

    position = models.PositiveIntegerField(primary_key=True)
    app = models.CharField(max_length=80)
    name = models.CharField(max_length=200)
    sql = models.TextField(blank=True)
    has_python = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "name"], name="step_once")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.app}.{self.name}"
