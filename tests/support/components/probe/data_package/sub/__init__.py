"""A package in a package, with data."""
