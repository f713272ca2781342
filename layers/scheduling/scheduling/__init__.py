"""The extension scheduler: third-party extensions manage their schedules, and their endpoints are invoked on time."""

import gc

# A start or a long list creates many objects and hardly any garbage; with Python's threshold of 700, the collector's
# runs take a noticeable share of the time.
gc.set_threshold(50_000)
