"""The extension in a folder: its files, its manifest and the ids under which it is installed locally."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from extension_sdk_cli.build import COMPONENT_NAME, MANIFEST_NAME
from extension_sdk_cli.errors import CommandError

LOCAL_TENANT_ID = str(uuid5(NAMESPACE_URL, "extension-sdk/tenant"))


@dataclass(frozen=True)
class Project:
    """A folder with `app.py` and `manifest.json`."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> "Project":
        """Return the project.

        Raises:
            CommandError: The folder is no extension's.
        """
        project = cls(folder.resolve())
        for name in ("app.py", MANIFEST_NAME):
            if not (project.folder / name).is_file():
                raise CommandError(
                    f"{project.folder} has no {name}: `extension-sdk new NAME` makes an extension"
                )
        return project

    @property
    def build_folder(self) -> Path:
        """The folder with the component."""
        return self.folder / "build"

    @property
    def component(self) -> Path:
        """The component's file."""
        return self.build_folder / COMPONENT_NAME

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest.

        Raises:
            CommandError: It is no JSON object.
        """
        path = self.folder / MANIFEST_NAME
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CommandError(f"{path} is not JSON: {error}") from error
        if not isinstance(manifest, dict):
            raise CommandError(f"{path} is not a JSON object")
        return manifest

    @property
    def install_id(self) -> str:
        """The id of the local install: the same for the same folder."""
        return str(uuid5(NAMESPACE_URL, f"extension-sdk/install/{self.folder}"))

    @property
    def registry_id(self) -> str:
        """The id of the extension in the local registry."""
        return str(uuid5(NAMESPACE_URL, f"extension-sdk/extension/{self.folder}"))

    def version_id(self, content_hash: str) -> str:
        """Return the id of a version: a manifest never changes within one."""
        return str(uuid5(NAMESPACE_URL, content_hash + json.dumps(self.manifest)))

    def registration(self, content_hash: str) -> dict[str, Any]:
        """Return the body of the PUT that installs the version with all capabilities it asks for."""
        return {
            "tenantId": LOCAL_TENANT_ID,
            "registryId": self.registry_id,
            "versionId": self.version_id(content_hash),
            "contentHash": content_hash,
            "manifest": self.manifest,
            "grantedCapabilities": self.manifest.get("capabilities", []),
        }

    def require_component(self) -> Path:
        """Return the component's file.

        Raises:
            CommandError: It is not built.
        """
        if not self.component.is_file():
            raise CommandError("the extension is not built: run `extension-sdk build`")
        return self.component


def hash_file(path: Path) -> str:
    """Return the content hash of a component or bundle, as a version has it."""
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
