"""Commands of the privacy app."""
