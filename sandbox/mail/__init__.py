"""Mail for the demo and the tests: mail-devel (SMTP, IMAP, a web page), with a memory on disk."""
