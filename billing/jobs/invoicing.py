"""Jobs of invoices: runs and mails."""
