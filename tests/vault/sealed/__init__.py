"""An app of the tests' own with sealed columns, in every tenant's schema."""
