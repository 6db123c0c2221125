"""Append-only, hash-chained record of what people and the system did; knows nobody."""
