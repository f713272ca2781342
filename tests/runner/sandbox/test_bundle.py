"""Bundles as deployed runners fetch them."""

import tarfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest
import zstandard
from wasmtime import wat2wasm

from runner.errors import BundleFetchFailed
from runner.sandbox import bundle
from tests.support.components.client import ComponentClient
from tests.support.components.runner import create_runner_settings, start_runner
from tests.support.components.wat import SUBSET

COMPONENT = bytes(wat2wasm(SUBSET))


def compress_files(files: Mapping[str, bytes]) -> bytes:
    """Return a tar archive compressed by zstd."""
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
    return zstandard.compress(archive.getvalue())


def compress_link() -> bytes:
    """Return a bundle whose component is a symbolic link."""
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("manifest.json"))
        link = tarfile.TarInfo("dist/main.wasm")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return zstandard.compress(archive.getvalue())


def compress_in_frames(archive: bytes) -> bytes:
    """Return the archive as pzstd compresses it: several frames, with skippable ones between them."""
    skippable = (0x184D2A50).to_bytes(4, "little") + (4).to_bytes(4, "little") + b"size"
    pieces = (archive[:5_000], archive[5_000:])
    return b"".join(skippable + zstandard.compress(piece) for piece in pieces)


BUNDLE = compress_files({"manifest.json": b"{}", "dist/main.wasm": COMPONENT, "dist/other.txt": b"x"})


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[str]:
    with start_runner(create_runner_settings("http://127.0.0.1:9", tmp_path)) as url:
        yield url


def add_bundle(folder: Path, content: bytes) -> Path:
    """Write a bundle to an extension folder and return its path."""
    (folder / "extension").mkdir()
    (folder / "extension" / "bundle.tar.zst").write_bytes(content)
    return folder / "extension" / "bundle.tar.zst"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(BUNDLE, id="plain names"),
        pytest.param(
            compress_files({"./manifest.json": b"{}", "./dist/main.wasm": COMPONENT}), id="names with a dot"
        ),
        pytest.param(compress_in_frames(zstandard.decompress(BUNDLE)), id="several frames"),
    ],
)
def test_bundle_runs_by_the_hash_of_the_archive(runner: str, tmp_path: Path, content: bytes) -> None:
    client = ComponentClient(runner, add_bundle(tmp_path, content))
    assert client.execute_request("GET", "/").response["status"] == 204
    client.http.clear()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(COMPONENT, "not a tar archive compressed by zstd", id="not compressed"),
        pytest.param(zstandard.compress(b"x" * 600), "not a tar archive compressed by zstd", id="not a tar"),
        pytest.param(BUNDLE[: len(BUNDLE) // 2], "not a tar archive compressed by zstd", id="cut off"),
        pytest.param(compress_files({"dist/main.wasm": COMPONENT}), "has no manifest.json", id="no manifest"),
        pytest.param(compress_files({"manifest.json": b"{}"}), "has no dist/main.wasm", id="no component"),
        pytest.param(compress_link(), "has no dist/main.wasm", id="link"),
    ],
)
def test_unusable_bundle_is_reported(runner: str, tmp_path: Path, content: bytes, message: str) -> None:
    client = ComponentClient(runner, add_bundle(tmp_path, content))
    status, error = client.execute_request("GET", "/").failure
    assert status == 502
    assert error.startswith("bundle_fetch_failed: the bundle ")
    assert message in error
    client.http.clear()


def test_archive_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MAX_ARCHIVE_BYTES", 4096)
    with pytest.raises(BundleFetchFailed, match="the archive is larger than 4096 bytes"):
        bundle.read_bundle(compress_files({"manifest.json": b" " * 5000}))
