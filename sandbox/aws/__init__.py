"""AWS for the demo and the tests: the moto server, with a memory that outlives its process."""

BUCKET = "proecommerce-audit"  # made at the start, with Object Lock
FILES = "proecommerce-files"  # made at the start, as is the next one
ERASURES = "proecommerce-erasures"
