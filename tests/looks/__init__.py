"""A gallery of every part of the look, drawn without a database, photographed and checked with axe."""
