"""The manifest of the extension under test."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extension_sdk_rules.endpoints import Endpoint, normalize_path
from extension_sdk_rules.ids import endpoint_id
from extension_sdk_rules.install import SCHEDULER_MANAGE, normalize_capabilities


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a fake platform reads of a manifest."""

    endpoints: tuple[Endpoint, ...]
    may_schedule: bool

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "Manifest":
        """Read a manifest: its endpoints by path then method, and whether it requests `cap:scheduler.manage`."""
        endpoints = [_parse_endpoint(fields) for fields in manifest["api"]["endpoints"]]
        endpoints.sort(key=lambda endpoint: (endpoint.path, endpoint.method))
        capabilities = normalize_capabilities(manifest.get("capabilities", ()))
        return cls(tuple(endpoints), SCHEDULER_MANAGE in capabilities)

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read the manifest from a file."""
        return cls.parse(json.loads(path.read_text(encoding="utf-8")))


def find_manifest() -> Path:
    """Return the `manifest.json` beside the imported module `app`, or in the current folder.

    Raises:
        FileNotFoundError: There is none.
    """
    app_file = getattr(sys.modules.get("app"), "__file__", None)
    folders = (*([Path(app_file).parent] if app_file else []), Path.cwd())
    for folder in folders:
        if (path := folder / "manifest.json").is_file():
            return path
    raise FileNotFoundError(
        "FakeHost needs the extension's manifest: import app before, or pass FakeHost(Path('manifest.json'))"
    )


def _parse_endpoint(fields: Mapping[str, Any]) -> Endpoint:
    method, path = fields["method"].upper(), normalize_path(fields["path"])
    return Endpoint(endpoint_id("fake", method, path), method, path, fields["handler"])
