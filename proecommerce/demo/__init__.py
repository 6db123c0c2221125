"""Believable data for `bin/demo`: made by the same rules, jobs and clock that production runs."""
