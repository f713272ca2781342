"""The capabilities that the stack adds are known to its runner too."""

from dataclasses import replace
from pathlib import Path

from tests.support.components import hostile
from tests.support.components.client import ComponentClient
from tests.support.components.runner import add_wat, create_runner_settings, start_runner


def test_further_capabilities_are_known_and_others_refused(tmp_path: Path) -> None:
    settings = create_runner_settings("http://127.0.0.1:9", tmp_path)
    settings = replace(settings, additional_capabilities=frozenset({"cap:extra"}))
    with start_runner(settings, cache_dir=tmp_path / "cache") as url:
        client = ComponentClient(url, add_wat(tmp_path / "extension", hostile.build_component("")))
        request = client.create_request("POST", "/run", providers=["cap:log.emit", " CAP:Extra "])
        assert client.post_request(request).response["status"] == 204

        request["providers"].append("cap:other")
        assert client.post_request(request).failure == (400, "unknown_capabilities: cap:other")
        client.http.clear()
