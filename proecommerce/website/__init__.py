"""Public pages: home, plans, sign-up."""
