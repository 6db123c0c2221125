"""Running the platform: the log of requests, and watching for abuse."""
