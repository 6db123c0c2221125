"""What a tenant's customers see: what is due, invoices, saved cards, their own details."""
