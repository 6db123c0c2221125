"""Public pages: home, plans, sign-up, contact, policy, terms, status."""
