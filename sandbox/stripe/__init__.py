"""A stand-in for Stripe on loopback: its HTTP API, OAuth, webhooks, script and payment pages, for demo and
tests."""
