"""What every tenant schema is made of: the SQL of each tenant migration, recorded once."""

from django.db import models


class MigrationStep(models.Model):
    """One tenant migration as SQL, replayed over the existing tenants.

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


class Blueprint(models.Model):
    """The template schema as one script: what `provision_schema` makes a new tenant by.

    `steps` tells how many migration steps it holds. Only the owner may read or write it.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    steps = models.PositiveIntegerField()
    sql = models.TextField()

    class Meta:
        constraints = [models.CheckConstraint(name="one_blueprint", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"blueprint of {self.steps} steps"
