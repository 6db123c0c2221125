"""Jobs of payments: collecting, asking, sweeping."""
