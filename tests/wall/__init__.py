"""The twin test: two tenants alike to the last key, and a canary in every text, so that any leak sings.

A new route fails `test_routes.py` until it has a line in `cases.py`. A new model fails `test_twins.py` until
`furnishing.py` makes a row of it; its texts get their canaries by themselves.
"""
