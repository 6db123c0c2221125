"""The steps of bin/demo --check: modules are read in the order of their names, steps run as they stand."""
