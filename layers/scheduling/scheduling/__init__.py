"""The service."""

import gc

# A start or a long list makes many objects and hardly any garbage; at Python's own 700 the search for it is felt.
gc.set_threshold(50_000)
