"""Models of the vault."""

from vault.models.keys import DataKey

__all__ = ["DataKey"]
