"""The CSV import: customers and subscriptions from other systems, checked as a whole and written as a whole."""
