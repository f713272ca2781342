import os

from hypothesis import settings

settings.register_profile("default", max_examples=100, derandomize=False, print_blob=True, deadline=None)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
