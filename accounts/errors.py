"""What the rules of accounts say no with: the same as those of privacy, whose pages stand among them."""

from privacy.errors import Refused

__all__ = ["Refused"]
