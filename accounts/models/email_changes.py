"""Changes of the address that a person logs in with."""

from django.db import models

from tenants.ids import new_id


class EmailChange(models.Model):
    """A wish for another address: made true by a link mailed there, undone by one mailed to the old address.

    The links are signed, not stored. `void_at`: a later wish or an undoing made this one void. It is void too
    once the user's `link_generation` is another.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="email_changes")
    old_email = models.EmailField(max_length=254)
    new_email = models.EmailField(max_length=254)
    link_generation = models.PositiveIntegerField(default=0, db_default=0)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    undo_until = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    void_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="email_change_done_may_be_undone",
                condition=models.Q(done_at__isnull=True, undo_until__isnull=True, undone_at__isnull=True)
                | models.Q(done_at__isnull=False, undo_until__isnull=False),
            )
        ]
        indexes = [models.Index(fields=["user", "asked_at"], name="email_change_by_user")]

    def __str__(self) -> str:
        return f"{self.old_email} to {self.new_email}"
