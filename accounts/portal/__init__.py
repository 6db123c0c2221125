"""Log-in and out, forgotten passwords, invitations: the same pages for everyone on a tenant's host."""
