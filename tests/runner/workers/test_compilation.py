"""The compiler's process: its results, its limits, and what becomes of a damaged result."""

from pathlib import Path

import pytest

from runner.errors import BundleFetchFailed, InvalidComponent
from runner.settings import MEBIBYTE
from runner.workers import compilation
from runner.workers.compilation import ComponentCompiler
from runner.workers.components import content_hash
from tests.support.components import hostile
from tests.support.components.client import ComponentClient
from tests.support.components.runner import add_wat, create_runner_settings, start_runner

MANY_FUNCTIONS = hostile.build_component("", module="(func (drop (i32.const 1)))" * 60_000)


def compile_wat(folder: Path, wat: str, memory_mb: int = 1024) -> Path:
    source = add_wat(folder / "extension", wat)
    compiler = ComponentCompiler(folder / "cache", memory_mb * MEBIBYTE)
    return compiler.compile_component(source, content_hash(source.read_bytes()))


def test_compiled_component_is_kept(tmp_path: Path) -> None:
    source = add_wat(tmp_path / "extension", hostile.build_component(""))
    compiler = ComponentCompiler(tmp_path / "cache", 1024 * MEBIBYTE)
    component_hash = content_hash(source.read_bytes())
    result = compiler.compile_component(source, component_hash)
    source.unlink()
    assert compiler.compile_component(source, component_hash) == result
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [result.name]


def test_component_in_place_of_a_bundle_is_refused_though_it_was_compiled(tmp_path: Path) -> None:
    source = add_wat(tmp_path / "extension", hostile.build_component(""))
    compiler = ComponentCompiler(tmp_path / "cache", 1024 * MEBIBYTE)
    component_hash = content_hash(source.read_bytes())
    compiler.compile_component(source, component_hash)
    bundle = source.rename(source.with_name("bundle.tar.zst"))
    with pytest.raises(BundleFetchFailed, match="the bundle is not a tar archive compressed by zstd"):
        compiler.compile_component(bundle, component_hash)


def test_changed_file_is_not_compiled(tmp_path: Path) -> None:
    source = add_wat(tmp_path / "extension", hostile.build_component(""))
    compiler = ComponentCompiler(tmp_path / "cache", 1024 * MEBIBYTE)
    with pytest.raises(BundleFetchFailed, match=r"component\.wasm has changed"):
        compiler.compile_component(source, content_hash(b"other"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_compiler_has_a_memory_limit(tmp_path: Path) -> None:
    with pytest.raises(InvalidComponent, match="it takes more than 64 MB to compile"):
        compile_wat(tmp_path, MANY_FUNCTIONS, memory_mb=64)


def test_compiler_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "COMPILE_SECONDS", 0.01)
    with pytest.raises(InvalidComponent, match="it takes more than 0 s to compile"):
        compile_wat(tmp_path, hostile.build_component(""))


def test_result_unused_for_long_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "UNUSED_SECONDS", -10.0)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "old.cwasm").touch()
    result = compile_wat(tmp_path, hostile.build_component(""))
    assert list((tmp_path / "cache").iterdir()) == [result]


def test_damaged_result_is_compiled_again(tmp_path: Path) -> None:
    source = add_wat(tmp_path / "extension", hostile.build_component(""))
    compiler = ComponentCompiler(tmp_path / "cache", 1024 * MEBIBYTE)
    # Before the runner starts, since it compiles what it finds without a result.
    compiled = compiler.compile_component(source, content_hash(source.read_bytes()))
    content = compiled.read_bytes()
    compiled.write_bytes(content[:100])
    with start_runner(
        create_runner_settings("http://127.0.0.1:9", tmp_path), cache_dir=tmp_path / "cache"
    ) as url:
        client = ComponentClient(url, source)
        status, error = client.execute_request("GET", "/").failure
        assert status == 500
        assert error.startswith("engine_init_failed: ")
        assert client.execute_request("GET", "/").response["status"] == 204
        assert compiled.read_bytes() == content
        client.http.clear()
