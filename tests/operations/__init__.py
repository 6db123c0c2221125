"""The log of requests and the watch over it, on a real PostgreSQL."""
