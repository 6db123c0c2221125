"""Bringing customers and subscriptions from elsewhere: CSV, all or nothing, repeatable by external id."""
