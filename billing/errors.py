"""What billing's rules say no with: the same as those of accounts, whose pages stand beside."""

from accounts.errors import Refused

__all__ = ["Refused"]
