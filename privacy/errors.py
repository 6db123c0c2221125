"""What is refused, in words for the person who asked."""


class Refused(ValueError):
    """It cannot be done as things stand; the text says why, and what to do."""
