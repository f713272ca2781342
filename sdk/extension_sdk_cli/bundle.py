"""The archive that deployed runners fetch: `bundle.tar.zst` with `manifest.json` and `dist/main.wasm`."""

import tarfile
from io import BytesIO
from pathlib import Path

import zstandard

from extension_sdk_cli.build import MANIFEST_NAME
from extension_sdk_cli.project import Project

BUNDLE_NAME = "bundle.tar.zst"
_LEVEL = 10


def pack_bundle(project: Project) -> Path:
    """Write the bundle of the built component; the same component and manifest give the same bytes.

    Raises:
        CommandError: The extension is not built.
    """
    component = project.require_component()
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as files:
        for name, path in (
            (MANIFEST_NAME, project.build_folder / MANIFEST_NAME),
            ("dist/main.wasm", component),
        ):
            content = path.read_bytes()
            member = tarfile.TarInfo(name)  # time 0, no owner
            member.size = len(content)
            files.addfile(member, BytesIO(content))
    bundle = project.build_folder / BUNDLE_NAME
    bundle.write_bytes(zstandard.ZstdCompressor(level=_LEVEL).compress(archive.getvalue()))
    return bundle
