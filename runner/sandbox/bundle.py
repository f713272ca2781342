"""The archive that deployed runners fetch: `bundle.tar.zst` with `manifest.json` and `dist/main.wasm`."""

import posixpath
import tarfile
from io import BytesIO

import zstandard

from runner.errors import BundleFetchFailed

BUNDLE_NAME = "bundle.tar.zst"
MANIFEST = "manifest.json"
MAIN = "dist/main.wasm"
MAX_ARCHIVE_BYTES = 128 * 1024 * 1024


def read_bundle(content: bytes) -> bytes:
    """Return the component in a bundle.

    Raises:
        BundleFetchFailed: The archive is damaged, too large or lacks a file.
    """
    try:
        members = _read_members(_decompress_archive(content))
    except (zstandard.ZstdError, tarfile.TarError, EOFError) as error:
        raise BundleFetchFailed(f"the bundle is not a tar archive compressed by zstd: {error}") from error
    for name in (MANIFEST, MAIN):
        if name not in members:
            raise BundleFetchFailed(f"the bundle has no {name}")
    return members[MAIN]


def _decompress_archive(content: bytes) -> bytes:
    # Bounded, because a small file can expand to any size. Compressors that work in parallel write many frames.
    with zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True) as stream:
        archive = stream.read(MAX_ARCHIVE_BYTES + 1)
    if len(archive) > MAX_ARCHIVE_BYTES:
        raise BundleFetchFailed(f"the archive is larger than {MAX_ARCHIVE_BYTES} bytes")
    return archive


def _read_members(archive: bytes) -> dict[str, bytes]:
    """Return the regular files that a bundle must have, by normalized name; links are ignored."""
    members = {}
    with tarfile.open(fileobj=BytesIO(archive), mode="r:") as files:
        for member in files:
            name = posixpath.normpath(member.name)
            if name in (MANIFEST, MAIN) and member.isreg() and (file := files.extractfile(member)):
                members[name] = file.read()
    return members
