"""What the rules of privacy say no with."""


class Refused(ValueError):
    """The change cannot be made as things stand; the message is for the person who asked."""
