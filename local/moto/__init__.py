"""The moto server, with replacements of moto's private parts.

Only this folder touches them. Each module says for which version it was written and why; `tests/local/moto` fails when
moto no longer needs a replacement.
"""
