"""A fake platform for an extension's own tests, which decides about schedules as the service does."""

from extension_sdk.testing.host import FakeHost, FakeLog
from extension_sdk.testing.manifest import Manifest
from extension_sdk.testing.scheduler import FakeScheduler

__all__ = ["FakeHost", "FakeLog", "FakeScheduler", "Manifest"]
