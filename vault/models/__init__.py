"""Models of the vault."""

from vault.models.keys import DataKey
from vault.models.subject_keys import SubjectKey

__all__ = ["DataKey", "SubjectKey"]
